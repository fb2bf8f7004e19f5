"""How the model speaks, under one's fingers: a panel of knobs that act on the next token."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from tinychat.generation.beam import Beams
from tinychat.generation.sampling import Sampling
from tinychat.tui.widgets.knob import Knob, Setting

PACE_S = 0.03
"""Seconds between two tokens: about as fast as one can follow them appear."""
_READING_S = 0.2
"""At five words a second one reads along."""
_OFF, _ALL = "off", "all"

SETTINGS = (
    Setting(
        "temperature",
        tuple(tenth / 10 for tenth in range(21)),
        0.0,
        "0: always the likeliest word. 1: drawn as the model has it. Below, surer; above, more even.",
        named=((0.0, "greedy"),),
    ),
    Setting(
        "top-k",
        (1, 2, 3, 4, 5, 8, 10, 20, 30, 50, 100, 0),
        0,
        "Draw among so many of the likeliest.",
        named=((0, _ALL),),
    ),
    Setting(
        "top-p",
        (*(tenth / 10 for tenth in range(1, 10)), 0.95, 0.99, 1.0),
        1.0,
        "Draw among the fewest that together have this probability.",
        named=((1.0, _ALL),),
    ),
    Setting(
        "min-p",
        (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7),
        0.0,
        "Draw among those at least so likely, as a share of the likeliest.",
        named=((0.0, _OFF),),
    ),
    Setting(
        "repetition penalty",
        tuple(1 + tenth / 10 for tenth in range(11)),
        1.0,
        "How much less likely a word becomes once it was said.",
        named=((1.0, _OFF),),
    ),
    Setting(
        "seed",
        range(1000),
        0,
        "Start of all draws: the same seed, the same answers.",
    ),
    Setting(
        "beams",
        (1, 2, 3, 4, 6, 8),
        1,
        "Write so many answers side by side, and give the likeliest as a whole.",
        named=((1, _OFF),),
    ),
    Setting(
        "length penalty",
        tuple(fifth / 5 for fifth in range(11)),
        0.6,
        "Of beams: the higher, the less being long counts against an answer.",
    ),
    Setting(
        "pace",
        (_READING_S, PACE_S, 0.0),
        PACE_S,
        "How fast words appear: as one reads, as one can follow, or as they come.",
        named=((_READING_S, "reading"), (PACE_S, "quick"), (0.0, "at once")),
    ),
)
_OF_DRAWS = ("top-k", "top-p", "min-p", "seed")
_OF_WORDS = ("temperature", "repetition-penalty")


class Speaking(VerticalScroll):
    """Nine knobs; what has no effect beside the others is dim."""

    can_focus = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False, id="speaking.up"),
        Binding("down", "move(1)", "Down", show=False, id="speaking.down"),
    ]

    @dataclass
    class Changed(Message):
        """What the knobs say now."""

        sampling: Sampling | Beams
        pace_s: float

    def __init__(self) -> None:
        super().__init__(id="speaking", classes="panel")
        self.border_title = "How it speaks"
        self.border_subtitle = "←→ change · ↑↓ choose"
        self.knobs = {knob.id: knob for knob in map(Knob, SETTINGS)}

    def compose(self) -> ComposeResult:
        yield Static(id="manner", markup=False)
        yield from self.knobs.values()
        yield Static(id="hint", markup=False)

    def on_mount(self) -> None:
        self._show_effects()

    def enter(self) -> None:
        """Focus the first knob."""
        self.knobs["temperature"].focus()

    @property
    def sampling(self) -> Sampling | Beams:
        """Raises nothing: what does not go together is left out."""
        value = {name: knob.value for name, knob in self.knobs.items()}
        if value["beams"] > 1:
            return Beams(int(value["beams"]), value["length-penalty"])
        penalty = value["repetition-penalty"]
        if not value["temperature"]:
            return Sampling(repetition_penalty=penalty)
        return Sampling(
            value["temperature"],
            int(value["top-k"]),
            value["top-p"],
            value["min-p"],
            penalty,
            int(value["seed"]),
        )

    @on(Knob.Turned)
    def tell(self, turned: Knob.Turned) -> None:
        turned.stop()
        self._show_effects()
        self.post_message(self.Changed(self.sampling, self.knobs["pace"].value))

    def _show_effects(self) -> None:
        sampling = self.sampling
        is_drawn = isinstance(sampling, Sampling) and sampling.temperature > 0
        if isinstance(sampling, Beams):
            manner = f"the likeliest of {sampling.width} whole answers"
        else:
            manner = "each word is drawn" if is_drawn else "always the likeliest word"
        self.query_one("#manner", Static).update(manner)
        for name, knob in self.knobs.items():
            if name in _OF_DRAWS:
                acts = is_drawn
            elif name in _OF_WORDS:
                acts = isinstance(sampling, Sampling)
            else:
                acts = name != "length-penalty" or isinstance(sampling, Beams)
            knob.set_class(not acts, "idle")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Knob):
            self.query_one("#hint", Static).update(event.widget.setting.hint)

    def action_move(self, by: int) -> None:
        names = list(self.knobs.values())
        place = next((i for i, knob in enumerate(names) if knob.has_focus), 0)
        names[(place + by) % len(names)].focus()
