"""What is known about a training run: how far it is, and how every epoch went."""

from dataclasses import dataclass, field

from tinychat.errors import ConfigError
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

    def __post_init__(self) -> None:
        """Raise ConfigError for numbers that no training leads to."""
        counts = (self.step, self.n_tokens, self.n_correct)
        if len(self.epochs) != self.epoch or min(counts) < 0 or self.step > self.n_tokens:
            raise ConfigError("the training history does not fit together")
