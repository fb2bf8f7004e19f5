"""The vocabulary as a map of characters."""

from collections.abc import Container

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from tinychat.drawing.text import token
from tinychat.inspection import EmbeddingMap

_HEIGHT = 24
_WIDEST = 100
DOT = "·"
"""A token for whose name there is no room, or that is not asked for."""


def draw_embedding(console: Console, found: EmbeddingMap, named: Container[int] | None) -> None:
    """Dots for all tokens; names as far as there is room, from the rim inwards, or of the `named` alone."""
    width = max(10, min(console.width, _WIDEST))
    low, high = found.points.min(axis=0), found.points.max(axis=0)
    shares = (found.points - low) / np.where(high > low, high - low, 1)
    columns = np.rint(shares[:, 0] * (width - 1)).astype(int)
    rows = np.rint((1 - shares[:, 1]) * (_HEIGHT - 1)).astype(int)
    cells: list[list[str]] = [[" "] * width for _ in range(_HEIGHT)]
    for row, column in zip(rows, columns, strict=True):
        cells[row][column] = DOT
    taken = np.zeros((_HEIGHT, width), bool)
    for index in np.argsort(-(found.points**2).sum(axis=1), kind="stable").tolist():
        label = token(found.tokens[index])
        if named is not None and index not in named:
            continue
        size = cell_len(label)
        start = max(0, min(int(columns[index]), width - size))
        place = slice(max(0, start - 1), start + size + 1)  # a gap on either side
        if size <= width and not taken[rows[index], place].any():
            taken[rows[index], start : start + size] = True
            # A wide character takes two cells; the second is empty.
            spread = [part for character in label for part in (character, *[""] * (cell_len(character) - 1))]
            cells[rows[index]][start : start + len(spread)] = spread
    for line in cells:
        console.print(Text("".join(line).rstrip()), no_wrap=True, overflow="crop")
    across, up = found.explained
    console.print(
        f"{len(found.tokens)} tokens; {across:.1%} of their variance lies across, {up:.1%} up and down"
    )
