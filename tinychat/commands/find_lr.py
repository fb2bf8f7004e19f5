"""`tinychat train --find-lr`: which learning rates this model learns at, as a curve."""

import argparse
import json
import math

from tinychat.commands.recipe import training_run
from tinychat.drawing.chart import chart
from tinychat.errors import UsageError
from tinychat.presets import PHASE_TITLES
from tinychat.training.find_lr import HIGHEST, LOWEST, Trial, steepest

WIDTH, HEIGHT = 61, 12
"""Of the drawing, in characters; ten columns a decade."""


def run(args: argparse.Namespace) -> int:
    for flag in ("out", "resume"):
        if flag in args:
            raise UsageError(f"--find-lr tries rates on a new model and saves nothing; leave out --{flag}")
    for phase, trials in training_run(args).try_rates():
        best = steepest(trials)
        lowest = min(trials, key=lambda trial: trial.loss)
        if "json" in args:
            points = [[trial.lr, trial.loss] for trial in trials]
            print(json.dumps({"phase": phase, "lr": best, "lowest": lowest.lr, "trials": points}))
            continue
        print(f"{PHASE_TITLES[phase]}, from new weights: loss by learning rate")
        print("\n".join(curve(trials)))
        print(f"The loss falls fastest at {best:.1e} and is lowest at {lowest.lr:.1e}: try rates between a")
        print(f"tenth of the latter and the former, for example --{phase}-lr {best:.1g}\n")
    return 0


def curve(trials: list[Trial]) -> list[str]:
    """Lines of a drawing: the smoothed losses over the logarithm of the learning rate."""
    points = [(math.log10(trial.lr), trial.loss) for trial in trials]
    ends = (math.log10(LOWEST), math.log10(HIGHEST))
    lines = chart({"•": points}, ends, WIDTH, HEIGHT, "{:.2f}".format)
    decades = round(math.log10(HIGHEST / LOWEST))
    ticks = "".join(f"{LOWEST * 10**decade:<10.0e}" for decade in range(decades)) + f"{HIGHEST:.0e}"
    return [*lines, " " * 8 + "└" + "┴".join(["─" * 9] * decades).rjust(WIDTH - 1, "┴"), " " * 9 + ticks]
