"""A value that is turned up and down by keys, or set by a click."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

_NAME, _BAR = 20, 9
"""Columns."""


@dataclass(frozen=True)
class Setting:
    """What a knob sets: the values that it has, from left to right, and the one that it begins with."""

    name: str
    values: Sequence[float]
    default: float
    hint: str
    unit: str = ""
    named: tuple[tuple[float, str], ...] = ()
    """Values that are shown by a word."""

    def shown(self, value: float) -> str:
        return dict(self.named).get(value, f"{value:g}{self.unit}")


class Knob(Widget, can_focus=True):
    """One line: a name, a bar and a value. Left and right turn it, Home gives the default."""

    ALLOW_MAXIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "Less", show=False, id="knob.less"),
        Binding("right", "turn(1)", "More", show=False, id="knob.more"),
        Binding("home", "reset", "Default", show=False, id="knob.default"),
    ]

    class Turned(Message):
        """The value has changed."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(id=setting.name.replace(" ", "-"))
        self.setting = setting
        self._place = setting.values.index(setting.default)

    @property
    def value(self) -> float:
        return self.setting.values[self._place]

    def render(self) -> Content:
        last = len(self.setting.values) - 1
        done = round(_BAR * self._place / last)
        return Content.assemble(
            (f"{self.setting.name:<{_NAME}}", "$primary bold" if self.has_focus else ""),
            ("━" * done, "$primary"),
            ("─" * (_BAR - done), "$foreground 25%"),
            f" {self.setting.shown(self.value):>8}",
        )

    def on_click(self, event: events.Click) -> None:
        """On the bar: the value at that place."""
        column = event.x - self.gutter.left - _NAME
        if 0 <= column < _BAR:
            self._go_to(round(column / (_BAR - 1) * (len(self.setting.values) - 1)))

    def action_turn(self, by: int) -> None:
        self._go_to(self._place + by)

    def action_reset(self) -> None:
        self._go_to(self.setting.values.index(self.setting.default))

    def _go_to(self, place: int) -> None:
        if 0 <= place < len(self.setting.values) and place != self._place:
            self._place = place
            self.refresh()
            self.post_message(self.Turned())
