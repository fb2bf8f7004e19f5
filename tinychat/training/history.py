"""What is known about a training run: how far it is, and how every epoch went."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tinychat.errors import WeightsError
from tinychat.training.events import EpochDone


@dataclass
class PhaseProgress:
    """How far one phase is. The sums run over the epoch under way, so that it can be resumed within it."""

    epoch: int = 0
    """Epochs completed."""
    step: int = 0
    """Updates done in the epoch under way."""
    loss_sum: float = 0.0
    n_tokens: int = 0
    n_correct: int = 0
    grad_norm_sum: float = 0.0
    seconds: float = 0.0
    """Training time of the phase."""
    epoch_seconds: float = 0.0
    epochs: list[EpochDone] = field(default_factory=list)
    """A record of every epoch completed."""

    @property
    def last_loss(self) -> float | None:
        return self.epochs[-1].loss if self.epochs else None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> "PhaseProgress":
        """Inverse of `to_dict`; raise WeightsError if the state is not one."""
        try:
            progress = cls(**{**state, "epochs": [EpochDone(**record) for record in state["epochs"]]})
        except (TypeError, KeyError) as error:
            raise WeightsError(f"the file's training history is damaged: {error}") from None
        for f in fields(cls):
            if f.name != "epochs" and not isinstance(getattr(progress, f.name), int | float):
                raise WeightsError(f"the file's training history is damaged: {f.name} is not a number")
        if len(progress.epochs) != progress.epoch:
            raise WeightsError("the file's training history is damaged: an epoch is missing")
        return progress
