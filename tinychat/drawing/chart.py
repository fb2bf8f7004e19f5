"""Curves in characters."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

BOTH = "◆"
"""Where two curves meet."""


def chart(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    ends: tuple[float, float],
    width: int,
    height: int,
    label: Callable[[float], str],
) -> list[str]:
    """Lines of a drawing, with the highest and the lowest value on the left, in 7 columns.

    Each curve is points (x, y) in the order of x, and is drawn with the mark that is its key, in every
    column from its first point to its last; `ends` are the x of the first and the last column.
    """
    values = [y for points in curves.values() for _, y in points]
    high, low = max(values), min(values)
    cells = [[" "] * width for _ in range(height)]
    places = np.linspace(*ends, width)
    step = (ends[1] - ends[0]) / max(width - 1, 1)
    for mark, points in curves.items():
        xs, ys = zip(*points, strict=True)
        for column, x in enumerate(places):
            if xs[0] - step / 2 <= x <= xs[-1] + step / 2:
                row = round((high - float(np.interp(x, xs, ys))) / max(high - low, 1e-9) * (height - 1))
                cells[row][column] = mark if cells[row][column] == " " else BOTH
    labels = {0: label(high), height - 1: label(low)}
    return [f"{labels.get(row, ''):>7} │{''.join(line).rstrip()}" for row, line in enumerate(cells)]
