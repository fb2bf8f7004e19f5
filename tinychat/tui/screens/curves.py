"""The inside of a training: losses, gradients, updates and the learning rate, as charts with axes."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static, Tab, Tabs

from tinychat.model import ModelCard
from tinychat.presets import PHASE_TITLES
from tinychat.training.events import EpochDone
from tinychat.tui import help as help_texts
from tinychat.tui.widgets.chart import Chart, Curve

_REDRAWN_S = 0.5
_VIEWS = {
    "loss": "1 Loss",
    "gradients": "2 Gradients",
    "updates": "3 Updates",
    "rate": "4 Learning rate",
}
_ABOUT = {
    "loss": "nats per token: the mean of each epoch, its last updates, and the examples held out",
    "gradients": "length of each layer's gradient, before clipping",
    "updates": "change of each layer's weights by an update, as a share of their length",
    "rate": "at the last update of each epoch",
}
_COLOURS = {"embedding": "$success", "attention": "$primary", "feed_forward": "$accent", "output": "$error"}


class CurvesScreen(Screen[None]):
    """Draws the history of a card, and what is added to it."""

    GUIDE = help_texts.CURVES
    CSS_PATH = "curves.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back", key_display="esc", id="curves.back"),
        Binding("p", "phase", "Phase", id="curves.phase"),
        Binding("l", "scale", "Scale", id="curves.scale"),
        Binding("question_mark,f1", "app.help", "Help", key_display="?", id="curves.help"),
        *(
            Binding(str(number), f"view('{view}')", title[2:], show=False, id=f"curves.{view}")
            for number, (view, title) in enumerate(_VIEWS.items(), start=1)
        ),
        Binding("left,right", "next_view", "View", key_display="1 to 4", id="curves.next"),
    ]

    def __init__(self, card: ModelCard) -> None:
        super().__init__()
        self._card = card
        self._is_log = True
        self._view = "loss"
        begun = [phase for phase, progress in card.progress.items() if progress.epochs]
        self._phase = (begun or list(card.progress))[-1]
        self._tabs = Tabs(*(Tab(title, id=f"tab-{view}") for view, title in _VIEWS.items()))
        self._tabs.can_focus = False
        self._chart = Chart()

    def compose(self) -> ComposeResult:
        yield Static(id="title", markup=False)
        yield self._tabs
        yield Static(id="about", markup=False)
        yield self._chart
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self.show()
        self.set_interval(_REDRAWN_S, self.show)

    def show(self) -> None:
        """Draw what is known now."""
        phase, card = self._phase, self._card
        records, config = list(card.progress[phase].epochs), card.configs[phase]
        scale = "log" if self._is_log else "linear"
        self.query_one("#title", Static).update(
            f"{PHASE_TITLES[phase]} · epoch {len(records)} of {config.epochs} · {scale} scale"
        )
        self.query_one("#about", Static).update(_ABOUT[self._view])
        last = max(len(records), 2) if len(records) >= config.epochs else config.epochs
        self._chart.show(_CURVES[self._view](records), (1, max(last, 2)), "epoch", self._is_log)

    def action_phase(self) -> None:
        phases = list(self._card.progress)
        self._phase = phases[(phases.index(self._phase) + 1) % len(phases)]
        self.show()

    def action_scale(self) -> None:
        self._is_log = not self._is_log
        self.show()

    def action_view(self, view: str) -> None:
        self._tabs.active = f"tab-{view}"

    def action_next_view(self) -> None:
        views = list(_VIEWS)
        self.action_view(views[(views.index(self._view) + 1) % len(views)])

    @on(Tabs.TabActivated)
    def switch(self, event: Tabs.TabActivated) -> None:
        self._view = (event.tab.id or "").removeprefix("tab-")
        self.show()


def _losses(records: list[EpochDone]) -> list[Curve]:
    named: dict[str, tuple[str, Callable[[EpochDone], float | None]]] = {
        "epoch": ("$primary", lambda record: record.loss),
        "smoothed": ("$accent", lambda record: record.smoothed_loss),
        "held out": ("$success", lambda record: record.held_out_loss),
    }
    return [Curve(name, style, _points(records, value)) for name, (style, value) in named.items()]


def _rates(records: list[EpochDone]) -> list[Curve]:
    return [Curve("learning rate", "$primary", _points(records, lambda record: record.lr))]


def _by_layer(records: list[EpochDone], of: Callable[[EpochDone], dict[str, float]]) -> list[Curve]:
    """Of a kind the deeper layers are the brighter ones."""
    names = list(dict.fromkeys(layer for record in records for layer in of(record)))
    n_blocks = max((int(name.partition(".")[2] or 0) for name in names), default=0) + 1
    curves = []
    for name in names:
        kind, _, number = name.partition(".")
        strength = 100 if not number else 45 + round(55 * (int(number) + 1) / n_blocks)
        curves.append(
            Curve(
                name.replace("_", "-"),
                f"{_COLOURS.get(kind, '$foreground')} {strength}%",
                _points(records, lambda record, name=name: of(record).get(name)),  # type: ignore[misc]
            )
        )
    return curves


def _points(
    records: list[EpochDone], value: Callable[[EpochDone], float | None]
) -> list[tuple[float, float]]:
    found = ((record.epoch, value(record)) for record in records)
    return [(epoch, number) for epoch, number in found if number is not None]


_CURVES: dict[str, Callable[[list[EpochDone]], list[Curve]]] = {
    "loss": _losses,
    "gradients": lambda records: _by_layer(records, lambda record: record.grad_norms),
    "updates": lambda records: _by_layer(records, lambda record: record.update_ratios),
    "rate": _rates,
}
