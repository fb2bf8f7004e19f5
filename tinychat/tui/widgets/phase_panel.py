"""One phase of training: its loss as a curve, its figures, and how far it is."""

import math
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import ProgressBar, Sparkline, Static

from tinychat.config import TrainConfig
from tinychat.training.events import EpochDone, StepDone
from tinychat.training.history import PhaseProgress
from tinychat.tui import format as fmt


class PhasePanel(Vertical):
    """Shows a PhaseProgress, then every EpochDone that it is given."""

    def __init__(self, number: int, title: str, config: TrainConfig | None, progress: PhaseProgress) -> None:
        """Without a config there are no examples for the phase, and nothing to show."""
        super().__init__(id=f"phase-{number}")
        self.border_title = f"{number} {title}"
        self._epochs = config.epochs if config else 0
        self._has_examples = config is not None
        self._records = list(progress.epochs)
        self._started = False

    def compose(self) -> ComposeResult:
        yield Sparkline([], summary_function=_mean)
        with Horizontal(classes="figures"):
            yield Static(classes="losses", markup=False)
            yield Static(classes="scores", markup=False)
        yield ProgressBar(total=1, show_percentage=False, show_eta=False)
        yield Static(classes="speed", markup=False)

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self._show_curve()

    def start(self) -> None:
        """This phase is the one under way."""
        self._started = True
        self.add_class("active")
        self._show()

    def finish(self) -> None:
        self.remove_class("active")

    def add_epoch(self, record: EpochDone) -> None:
        self._records.append(record)
        self._show()

    def show_step(self, step: StepDone) -> None:
        """Move the bar within an epoch; a big corpus takes its time."""
        if self._epochs:
            self.query_one(ProgressBar).update(
                progress=(step.epoch - 1 + step.step / step.steps) / self._epochs
            )

    def _show(self) -> None:
        self._show_curve()
        losses, scores = self.query_one(".losses", Static), self.query_one(".scores", Static)
        speed = self.query_one(".speed", Static)
        done = len(self._records)
        self.border_subtitle = f"epoch {done}/{self._epochs}" if self._has_examples else ""
        self.query_one(ProgressBar).update(progress=done / self._epochs if self._epochs else 0)
        self.set_class(not self._records, "waiting")
        if not self._records:
            losses.update("")
            scores.update("")
            speed.update(self._waiting())
            return
        # A new layout of the screen takes longer than all else that an epoch changes on it.
        is_first = done == 1
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
        if done < self._epochs:
            self.border_subtitle += f" · {fmt.duration(last.seconds_left)} left"

    def _waiting(self) -> str:
        if not self._has_examples:
            return "no examples in this corpus"
        if not self._epochs:
            return "left out: 0 epochs"
        return "the first epoch is under way" if self._started else "waiting"

    def _show_curve(self) -> None:
        """The curve grows to the right with the epochs, on a log scale: a raw loss would hug the floor."""
        curve = self.query_one(Sparkline)
        points = [math.log(max(record.loss, 1e-6)) for record in self._records]
        room = self.content_size.width
        curve.visible = len(points) > 1 and room > 0
        if curve.visible:
            width = max(2, round(room * len(points) / max(self._epochs, len(points))))
            if curve.size.width != width:
                curve.styles.width = width
            curve.data = points


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
