"""One phase of training: its loss as a curve, its figures, and how far it is."""

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.timer import Timer
from textual.widgets import ProgressBar, Static

from tinychat.tui import format as fmt
from tinychat.tui.widgets.growing_curve import GrowingCurve

if TYPE_CHECKING:
    from tinychat.config import TrainConfig
    from tinychat.training.events import EpochDone, StepDone

_REDRAWN_S = 0.25, 0.5
"""Seconds between two epochs that are drawn, at least, at first and later: small ones follow each other
faster than one reads, and what the screen takes, the training lacks."""
_SLOWING = 1 / 8
"""Of the seconds that a phase has taken, so many are waited, within these limits."""
_LONG_EPOCH_S = 1.0
"""Within an epoch as long as that the bar moves too."""


class PhasePanel(Vertical):
    """Shows the epochs that are known when it is opened, then every EpochDone that it is given."""

    def __init__(self, number: int, title: str) -> None:
        super().__init__(id=f"phase-{number}", classes="waiting")
        self.border_title = f"{number} {title}"
        self._epochs = 0
        self._has_examples = self._started = False
        self._records: list[EpochDone] = []
        self._shown_at = self._started_at = 0.0
        self._redraw: Timer | None = None

    def compose(self) -> ComposeResult:
        yield GrowingCurve()
        with Horizontal(classes="figures"):
            yield Static(classes="losses", markup=False)
            yield Static(classes="scores", markup=False)
        yield ProgressBar(total=1, show_percentage=False, show_eta=False)
        yield Static(classes="speed", markup=False)

    def open(self, config: "TrainConfig | None", records: "Sequence[EpochDone]") -> None:
        """Without a config there are no examples for the phase, and nothing to show."""
        self._epochs = config.epochs if config else 0
        self._has_examples = config is not None
        self._records = list(records)
        self._show()

    def start(self) -> None:
        """This phase is the one under way."""
        self._started, self._started_at = True, monotonic()
        self.add_class("active")
        self._show()

    def finish(self) -> None:
        self.remove_class("active")
        self._show()

    def add_epoch(self, record: "EpochDone") -> None:
        self._records.append(record)
        now = monotonic()
        shortest, longest = _REDRAWN_S
        pause = min(max(shortest, _SLOWING * (now - self._started_at)), longest)
        wait = self._shown_at + pause - now
        if wait <= 0:
            self._show()
        elif self._redraw is None:
            self._redraw = self.set_timer(wait, self._show_late)

    def _show_late(self) -> None:
        with suppress(NoMatches):  # in the last moment of a screen that is being taken down
            self._show()

    def show_step(self, step: "StepDone") -> None:
        """Move the bar within an epoch; a big corpus takes its time."""
        if self._epochs and monotonic() - self._shown_at >= _LONG_EPOCH_S:
            self.query_one(ProgressBar).update(
                progress=(step.epoch - 1 + step.step / step.steps) / self._epochs
            )

    def _show(self) -> None:
        self._shown_at = monotonic()
        if self._redraw is not None:
            self._redraw.stop()
            self._redraw = None
        self.query_one(GrowingCurve).show([record.loss for record in self._records], self._epochs)
        losses, scores = self.query_one(".losses", Static), self.query_one(".scores", Static)
        speed = self.query_one(".speed", Static)
        done = len(self._records)
        is_first = self.has_class("waiting")
        self.query_one(ProgressBar).update(progress=done / self._epochs if self._epochs else 0)
        self.set_class(not self._records, "waiting")
        if not self._records:
            self.border_subtitle = f"epoch 0/{self._epochs}" if self._has_examples else ""
            losses.update("")
            scores.update("")
            speed.update(self._waiting())
            return
        # A new layout of the screen takes longer than all else that an epoch changes on it.
        last = self._records[-1]
        best = min(record.loss for record in self._records)
        losses.update(
            f"loss  {fmt.loss(last.loss)}\nfirst {fmt.loss(self._records[0].loss)}\nbest  {fmt.loss(best)}",
            layout=is_first,
        )
        scores.update(
            f"perplexity {fmt.perplexity(last.perplexity)}\n"
            f"accuracy   {last.accuracy:.1%}\n"
            f"gradient   {last.grad_norm:.2f}",
            layout=is_first,
        )
        speed.update(f"{last.tokens_per_s:,.0f} tokens/s", layout=is_first)
        left = f" · {fmt.duration(last.seconds_left)} left" if done < self._epochs else ""
        self.border_subtitle = f"epoch {done}/{self._epochs}{left}"

    def _waiting(self) -> str:
        if not self._has_examples:
            return "no examples in this corpus"
        if not self._epochs:
            return "left out: 0 epochs"
        return "the first epoch is under way" if self._started else "waiting"
