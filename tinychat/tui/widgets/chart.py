"""A chart with axes: curves in braille, ticks at round numbers, a legend with the last values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual.content import Content
from textual.widget import Widget

from tinychat.drawing.axes import log_ticks, ticks
from tinychat.drawing.braille import braille

_MARGIN = 9
"""Columns left of the axis."""
_FAINT = "$foreground 55%"


@dataclass(frozen=True)
class Curve:
    """Points (x, y) in the order of x."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]


class Chart(Widget):
    """Fills its place. On a logarithmic scale, values that are not above 0 are left out."""

    def __init__(self) -> None:
        super().__init__()
        self._curves: list[Curve] = []
        self._ends, self._is_log, self._x_name = (1.0, 2.0), False, ""

    def show(self, curves: Sequence[Curve], ends: tuple[float, float], x_name: str, is_log: bool) -> None:
        """`ends` are the x at the left and at the right."""
        self._curves = [
            Curve(
                curve.name,
                curve.style,
                [(x, y) for x, y in curve.points if math.isfinite(y) and (y > 0 or not is_log)],
            )
            for curve in curves
        ]
        self._ends, self._is_log, self._x_name = ends, is_log, x_name
        self.refresh()

    def render(self) -> Content:
        curves = [curve for curve in self._curves if curve.points]
        legend = self._legend(curves)
        width, height = self.size.width - _MARGIN - 1, self.size.height - 3 - legend.plain.count("\n")
        if not curves or width < 10 or height < 3:
            return Content("Nothing was measured yet." if not curves else "There is no room for a chart.")
        values = np.array([y for curve in curves for _, y in curve.points])
        bounds = self._bounds(values)
        scale = math.log10 if self._is_log else float
        drawn = [[(x, scale(y)) for x, y in curve.points] for curve in curves]
        cells = braille(drawn, self._ends, (scale(bounds[0]), scale(bounds[1])), width, height)
        labels = self._labels(bounds, height)
        parts: list[Content | tuple[str, str]] = [legend, ("\n", "")]
        for row, line in enumerate(cells):
            parts.append((f"{labels.get(row, ''):>{_MARGIN - 1}} {'┤' if row in labels else '│'}", _FAINT))
            parts += [(character, curves[owner].style if owner >= 0 else "") for character, owner in line]
            parts.append(("\n", ""))
        parts.append((self._foot(width), _FAINT))
        return Content.assemble(*parts)

    def _legend(self, curves: Sequence[Curve]) -> Content:
        """As many names a line as fit."""
        parts: list[tuple[str, str]] = []
        column = 0
        for curve in curves:
            text = f"━ {curve.name} {shown(curve.points[-1][1])}   "
            if parts and column + len(text) > self.size.width:
                parts.append(("\n", ""))
                column = 0
            parts.append((text, curve.style))
            column += len(text)
        return Content.assemble(*parts)

    def _bounds(self, values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[float, float]:
        """With a little air, and never of no height."""
        low, high = float(values.min()), float(values.max())
        if self._is_log:
            factor = max((high / low) ** 0.04, 1.02)
            return low / factor, high * factor
        air = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
        return (0.0 if 0 <= low < 0.3 * high else low - air), high + air

    def _labels(self, bounds: tuple[float, float], height: int) -> dict[int, str]:
        """Row -> what stands beside it."""
        find, scale = (log_ticks, math.log10) if self._is_log else (ticks, float)
        low, high = scale(bounds[0]), scale(bounds[1])
        return {
            round((high - scale(value)) / (high - low) * (height - 1)): shown(value)
            for value in find(*bounds, max(2, height // 3))
        }

    def _foot(self, width: int) -> str:
        """The axis below: its line, and its numbers."""
        line, numbers = ["─"] * width, [" "] * (width + _MARGIN)
        first, last = self._ends
        for value in ticks(first, last, max(2, width // 12)):
            column = round((value - first) / max(last - first, 1e-9) * (width - 1))
            line[column] = "┬"
            text = f"{value:g}"
            start = min(max(0, column - len(text) // 2), width - len(text))
            numbers[start : start + len(text)] = text
        margin = " " * _MARGIN
        return f"{margin}└{''.join(line)}\n{self._x_name:>{_MARGIN - 1}}  {''.join(numbers).rstrip()}"


def shown(value: float) -> str:
    """In at most eight columns."""
    return f"{value:.3g}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.0e}"
