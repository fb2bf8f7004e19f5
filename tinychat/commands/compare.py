"""`tinychat compare`: two saved models, their losses as curves and their differences as a table."""

import argparse
import json
import math
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinychat.commands.recipe import library
from tinychat.commands.screen import console
from tinychat.drawing.chart import BOTH, chart
from tinychat.drawing.text import readable
from tinychat.inspection import Comparison, compare
from tinychat.presets import PHASE_TITLES
from tinychat.weights import read_summary

MARKS = ("•", "×")
_COLOURS = ("cyan", "yellow")
_WIDEST, _HEIGHT = 72, 12
"""Of a drawing, in characters."""


def run(args: argparse.Namespace) -> int:
    paths = [library(args).find(name) for name in (args.first, args.second)]
    found = compare(*map(read_summary, paths))
    if "json" in args:
        print(
            json.dumps(
                {
                    "files": [str(path) for path in paths],
                    "configuration": found.configuration,
                    "figures": found.figures,
                    "losses": found.losses,
                }
            )
        )
        return 0
    screen = console()
    names = [readable(path.stem if paths[0].stem != paths[1].stem else str(path)) for path in paths]
    for phase, losses in found.losses.items():
        _draw(screen, phase, losses, names)
    screen.print(_table(found, names))
    return 0


def _draw(screen: Console, phase: str, losses: tuple[list[float], list[float]], names: list[str]) -> None:
    """The loss by epoch, upwards by its logarithm: from 0.1 to 0.05 is as good as from 4 to 2."""
    epochs = max(map(len, losses))
    if not epochs:
        return
    curves = {
        mark: [(epoch, math.log(max(loss, 1e-6))) for epoch, loss in enumerate(values, start=1)]
        for mark, values in zip(MARKS, losses, strict=True)
        if values
    }
    width = max(10, min(screen.width - 9, _WIDEST))
    lines = chart(curves, (1, max(epochs, 2)), width, _HEIGHT, lambda y: f"{math.exp(y):.3g}")
    told = [f"{mark} {name}" for mark, name, values in zip(MARKS, names, losses, strict=True) if values]
    last = f"epoch {epochs}"
    screen.print(_coloured(f"{PHASE_TITLES[phase]}, loss by epoch: {'  '.join(told)}  {BOTH} both"))
    for line in [*lines, f"{'':>7} └{'─' * width}", f"{'':>9}1{last:>{max(width - 1, len(last) + 1)}}", ""]:
        screen.print(_coloured(line), no_wrap=True, overflow="crop")


def _coloured(line: str) -> Text:
    text = Text(line)
    for mark, colour in zip(MARKS, _COLOURS, strict=True):
        text.highlight_words([mark], colour)
    return text


def _table(found: Comparison, names: list[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("")
    for name, colour in zip(names, _COLOURS, strict=True):
        table.add_column(Text(name, colour), overflow="fold")
    # A value of the configuration is written as its flag takes it: a seed is no amount.
    for title, pairs, whole in (
        ("configuration", found.configuration, "d"),
        ("figures", found.figures, ",d"),
    ):
        table.add_row(Text(title, "bold"))
        for name, pair in pairs.items():
            table.add_row(Text(f"  {name}"), *(Text(_shown(value, whole)) for value in pair))
        if not pairs:
            table.add_row(Text("  no difference"))
    return table


def _shown(value: Any, whole: str) -> str:
    """`whole` is the format of a whole number."""
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return format(value, whole)
    return f"{value:.4g}" if isinstance(value, float) else readable(str(value))
