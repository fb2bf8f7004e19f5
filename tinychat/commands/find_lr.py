"""`tinychat train --find-lr`: which learning rates this model learns at, as a curve."""

import argparse
import json
import math

from tinychat.commands.recipe import training_run
from tinychat.errors import UsageError
from tinychat.model import PHASE_TITLES
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
    high, low = max(trial.loss for trial in trials), min(trial.loss for trial in trials)
    cells = [[" "] * WIDTH for _ in range(HEIGHT)]
    for trial in trials:
        column = round(math.log(trial.lr / LOWEST) / math.log(HIGHEST / LOWEST) * (WIDTH - 1))
        row = round((high - trial.loss) / max(high - low, 1e-9) * (HEIGHT - 1))
        cells[row][column] = "•"
    labels = {0: f"{high:.2f}", HEIGHT - 1: f"{low:.2f}"}
    lines = [f"{labels.get(row, ''):>7} │{''.join(line).rstrip()}" for row, line in enumerate(cells)]
    decades = round(math.log10(HIGHEST / LOWEST))
    ticks = "".join(f"{LOWEST * 10**decade:<10.0e}" for decade in range(decades)) + f"{HIGHEST:.0e}"
    return [*lines, " " * 8 + "└" + "┴".join(["─" * 9] * decades).rjust(WIDTH - 1, "┴"), " " * 9 + ticks]
