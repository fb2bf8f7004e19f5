"""What the model says to one prompt, as it learns: the newest answer in full, earlier ones beneath."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tinychat.model import PHASE_TITLES
from tinychat.training.events import SampleDrawn

KEPT = 30


class Samples(Vertical):
    """Shows every SampleDrawn that it is given."""

    def __init__(self, prompt: str) -> None:
        super().__init__()
        self.border_title = "What it says now"
        self._prompt = prompt
        self._samples: list[SampleDrawn] = []

    def compose(self) -> ComposeResult:
        yield Static(f"› {self._prompt}", classes="prompt", markup=False)
        yield Static("…", classes="now", markup=False)
        yield Static(classes="earlier", markup=False)

    def add(self, sample: SampleDrawn) -> None:
        self._samples = [sample, *self._samples[: KEPT - 1]]
        self.query_one(".now", Static).update(sample.text or "(nothing)")
        self.border_subtitle = f"{PHASE_TITLES[sample.phase].lower()}, epoch {sample.epoch}"
        self.query_one(".earlier", Static).update(
            "\n".join(
                f"{PHASE_TITLES[s.phase][:3].lower()} {s.epoch:>4}  {s.text or '(nothing)'}"
                for s in self._samples[1:]
            )
        )
