"""What the model says to one prompt, as it learns: the newest answer in full, earlier, other ones beneath."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tinychat.presets import PHASE_TITLES
from tinychat.tui.widgets import steady

if TYPE_CHECKING:
    from tinychat.training.events import SampleDrawn

KEPT = 30
NOTHING = "(nothing)"


class Samples(Vertical):
    """Shows every SampleDrawn that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "What it says now"
        self._changes: list[SampleDrawn] = []  # the newest first; of equal ones in a row, the first

    def compose(self) -> ComposeResult:
        yield Static(classes="prompt", markup=False)
        yield Static(classes="now", markup=False)
        yield Static(classes="earlier", markup=False)

    def add(self, sample: "SampleDrawn") -> None:
        if not self._changes or self._changes[0].prompt != sample.prompt:
            self.query_one(".prompt", Static).update(f"› {sample.prompt}")
        steady.show(self.query_one(".now", Static), Content(sample.text or NOTHING))
        self.border_title = f"What it says now · {PHASE_TITLES[sample.phase].lower()}, epoch {sample.epoch}"
        earlier = [s for s in self._changes if s.prompt == sample.prompt]
        if not earlier or earlier[0].text != sample.text:
            self._changes = [sample, *earlier[: KEPT - 1]]
        else:
            earlier = earlier[1:]
        self.query_one(".earlier", Static).update(
            "\n".join(f"epoch {s.epoch:>3}  {s.text or NOTHING}" for s in earlier), layout=False
        )
