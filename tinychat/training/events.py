"""What a training run tells whoever iterates it: frozen records, no screen in sight."""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from tinychat.wording import counted


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; `name` is what JSON readers switch on."""

    name: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        return {"event": self.name, **asdict(self)}


@dataclass(frozen=True, slots=True)
class PhaseStarted(Event):
    name = "phase_started"
    phase: str
    epochs: int
    examples: int
    tokens: int
    """Predicted tokens an epoch."""
    lr: float


@dataclass(frozen=True, slots=True)
class StepDone(Event):
    """One update of the weights."""

    name = "step_done"
    phase: str
    epoch: int
    """Counted from 1."""
    step: int
    """Updates done in this epoch."""
    steps: int
    """Updates in an epoch."""
    loss: float
    """Nats per token of this update's examples, before the update."""
    smoothed_loss: float
    """The same over the last updates; see PhaseProgress."""


@dataclass(frozen=True, slots=True)
class EpochDone(Event):
    """One pass over a phase's examples; means over the pass, each example seen before its update."""

    name = "epoch_done"
    phase: str
    epoch: int
    epochs: int
    loss: float
    """Nats per token."""
    perplexity: float
    accuracy: float
    """Share of tokens to which the model gave the highest probability."""
    grad_norm: float
    """Mean over the updates, before clipping."""
    tokens_per_s: float
    seconds_left: float
    """Until the end of the phase, at the phase's pace so far."""
    lr: float | None = None
    """Learning rate of the last update; None in old files."""
    held_out_loss: float | None = None
    """On the examples that are held out, in nats per token; None if none are."""
    smoothed_loss: float | None = None
    """Of the last updates; see PhaseProgress. None in old files."""
    grad_norms: dict[str, float] = field(default_factory=dict)
    """Of the last update, by layer, before clipping; see `training.movement`. Empty if not measured."""
    update_ratios: dict[str, float] = field(default_factory=dict)
    """Of the same update, by layer: the length of the weights' change as a share of their own."""


@dataclass(frozen=True, slots=True)
class SampleDrawn(Event):
    """What the model answers now."""

    name = "sample_drawn"
    phase: str
    epoch: int
    """Epochs of the phase that are done."""
    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class CheckpointSaved(Event):
    name = "checkpoint_saved"
    path: str


@dataclass(frozen=True, slots=True)
class PhaseDone(Event):
    name = "phase_done"
    phase: str
    epochs: int
    loss: float | None
    """Of the last epoch; None if there was no epoch."""
    seconds: float
    """Training alone, summed over interruptions."""


@dataclass(frozen=True, slots=True)
class Finished(Event):
    name = "finished"
    seconds: float
    """Updates and samples of both phases, summed over interruptions, without start-up, reading, saving and
    pauses. (`tinychat train` gives the wall time of its own part instead, less saving.)"""


@dataclass(frozen=True, slots=True)
class LessonChecked(Event):
    """How far a lesson is; see `tinychat.training.teaching`."""

    name = "lesson_checked"
    update: int
    """Updates so far."""
    loss: float
    """Nats per token of the last update's examples, before it."""
    right: int
    """Wordings of the question, of those that are only asked, that are answered rightly."""
    wordings: int
    kept: int
    """Former questions that are still answered rightly; counted at the end of a round, otherwise 0."""
    former: int
    """Former questions that are asked in a check: all were answered rightly before the lesson."""


@dataclass(frozen=True, slots=True)
class LessonDone(Event):
    """The copy has learnt the answer, and can be put in the model's place."""

    name = "lesson_done"
    question: str
    answer: str
    updates: int
    seconds: float
    """Of the lesson, with its preparations."""
    right: int
    wordings: int
    kept: int
    former: int
    new_words: int
    """Tokens that the model did not have."""
    is_from_itself: bool
    """Whether the corpus could not be read, and the model's own answers were gone on with in its place."""

    @property
    def notes(self) -> list[str]:
        """What came of it, as one tells it."""
        new = f", with {counted(self.new_words, 'new word')}" if self.new_words else ""
        former = f", {self.kept} of {counted(self.former, 'former question')}" if self.former else ""
        notes = [
            f"learnt in {self.seconds:.1f} s{new}; "
            f"right: {self.right} of {counted(self.wordings, 'wording')} of it{former}"
        ]
        if self.is_from_itself:
            notes.append(
                "its corpus is not where it was, or was changed, and it rehearsed its own answers to the few "
                "questions in its file: more may be forgotten; better put the corpus back, and teach again"
            )
        return notes
