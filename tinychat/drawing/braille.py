"""Curves in points of braille characters, two across and four down in each."""

from collections.abc import Sequence

import numpy as np

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of the point in each row and column of a character, from U+2800 on."""


def braille(
    curves: Sequence[Sequence[tuple[float, float]]],
    ends: tuple[float, float],
    bounds: tuple[float, float],
    width: int,
    height: int,
) -> list[list[tuple[str, int]]]:
    """Lines of cells: each a character, and the number of the curve drawn there last, or -1.

    Each curve is points (x, y) in the order of x; `ends` are the x at the left and the right, `bounds` the y
    at the foot and the top. A curve is drawn from its first point to its last, without gaps.
    """
    bits = np.zeros((height, width), int)
    owner = np.full((height, width), -1)
    places = np.linspace(*ends, 2 * width)
    step = (ends[1] - ends[0]) / max(2 * width - 1, 1)
    low, high = bounds
    for number, points in enumerate(curves):
        if not points:
            continue
        xs, ys = (np.array(values, float) for values in zip(*points, strict=True))
        shares = (np.interp(places, xs, ys) - low) / max(high - low, 1e-300)
        rows = np.rint((1 - np.clip(shares, 0, 1)) * (4 * height - 1)).astype(int)
        columns = np.flatnonzero((places >= xs[0] - step) & (places <= xs[-1] + step))
        for column in columns:
            before = rows[column - 1] if column > columns[0] else rows[column]
            for row in _between(int(before), int(rows[column])):
                bits[row // 4, column // 2] |= _DOTS[row % 4][column % 2]
                owner[row // 4, column // 2] = number
    return [
        [(chr(0x2800 + int(bit)) if bit else " ", int(who)) for bit, who in zip(*line, strict=True)]
        for line in zip(bits, owner, strict=True)
    ]


def _between(before: int, row: int) -> range:
    """The rows from beside the one before to this one."""
    if before < row:
        return range(before + 1, row + 1)
    return range(row, before) if row < before else range(row, row + 1)
