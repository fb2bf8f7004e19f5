"""Points and their names in a field of characters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from tinychat.core.parameters import Floats

DOT = "·"
"""A point for whose name there is no room, or that is not asked for."""


@dataclass(frozen=True)
class Part:
    """A piece of a line: a name, a dot, or empty space, for which `index` is -1."""

    text: str
    index: int
    is_name: bool = False


def scatter(
    points: Floats, names: Sequence[str], wanted: Iterable[int], width: int, height: int
) -> list[list[Part]]:
    """Lines of `height` rows for points (V, 2), x to the right and y upwards; dots for all of them.

    Names of the `wanted` are put in as far as there is room, the first ones first. A wide character takes two
    of the `width` columns.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    shares = (points - low) / np.where(high > low, high - low, 1)
    columns = np.rint(shares[:, 0] * (width - 1)).astype(int)
    rows = np.rint((1 - shares[:, 1]) * (height - 1)).astype(int)
    cells = [[Part(" ", -1)] * width for _ in range(height)]
    for index, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        cells[row][column] = Part(DOT, index)
    taken = np.zeros((height, width), bool)
    for index in wanted:
        row, size = int(rows[index]), cell_len(names[index])
        start = max(0, min(int(columns[index]), width - size))
        if not size or size > width or taken[row, max(0, start - 1) : start + size + 1].any():
            continue  # a gap on either side
        taken[row, start : start + size] = True
        cells[row][start : start + size] = [Part(names[index], index, True), *[Part("", -1)] * (size - 1)]
    return cells
