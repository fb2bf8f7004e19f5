"""A small curve that grows to the right as time goes on."""

import math
from collections.abc import Sequence

from rich.console import RenderableType
from textual.renderables.sparkline import Sparkline as Bars
from textual.widgets import Sparkline


class GrowingCurve(Sparkline):
    """Points of a run that is to have `n` of them, on a log scale: a raw loss would hug the floor.

    What is not there yet is left free within the widget. To make the widget itself wider with every point
    would lay out the whole screen anew, which takes longer than all else that an epoch changes on it.
    """

    def __init__(self) -> None:
        super().__init__([], summary_function=_mean)
        self._n = 1

    def show(self, losses: Sequence[float], n: int) -> None:
        """One point is not drawn: it says no more than the figure beside it."""
        self.visible = len(losses) > 1
        self._n = max(n, len(losses))
        self.data = [math.log(max(loss, 1e-6)) for loss in losses]

    def render(self) -> RenderableType:
        bars = super().render()
        assert isinstance(bars, Bars)
        bars.width = max(2, round(self.size.width * len(bars.data) / self._n))
        return bars


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
