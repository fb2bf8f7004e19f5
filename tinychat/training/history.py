"""What is known about a training run: how far it is, and how every epoch went."""

from dataclasses import dataclass, field

from tinychat.core.loss import Loss
from tinychat.errors import ConfigError
from tinychat.training.events import EpochDone

SMOOTHED_UPDATES = 50


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
    smoothed_loss: float | None = None
    """Exponential moving average of the updates' losses, in nats per token: as old, on the average, as a mean
    over an epoch, or over SMOOTHED_UPDATES if they are fewer. None before the first update, and in old files.
    """
    grad_norms: dict[str, float] = field(default_factory=dict)
    """Of the last update of the epoch under way, once it was measured; see EpochDone, as for the next."""
    update_ratios: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    """Training time of the phase."""
    epoch_seconds: float = 0.0
    epochs: list[EpochDone] = field(default_factory=list)
    """A record of every epoch completed."""
    averaged: int = 0
    """Updates that are in the moving average of the weights."""
    best_loss: float | None = None
    """Lowest loss on the examples held out, in nats per token."""
    best_epoch: int = 0
    """Epochs that were completed when the loss was lowest."""
    is_ended: bool = False
    """Whether the phase is over, and the weights are those that it was to end with."""

    def count_update(self, loss: Loss, grad_norm: float, n_steps: int) -> float:
        """Add an update, one of `n_steps` in its epoch; return the smoothed loss."""
        self.step += 1
        self.loss_sum += loss.total
        self.n_tokens += loss.tokens
        self.n_correct += loss.correct
        self.grad_norm_sum += grad_norm
        before = loss.mean if self.smoothed_loss is None else self.smoothed_loss
        self.smoothed_loss = before + (loss.mean - before) * 2 / (min(n_steps, SMOOTHED_UPDATES) + 1)
        return self.smoothed_loss

    def reopen(self) -> None:
        """Let a phase that has ended go on: an average and a best are looked for anew."""
        if not self.is_ended:
            return
        self.is_ended, self.averaged = False, 0
        if self.best_loss is not None:
            self.best_loss, self.best_epoch = None, self.epoch

    @property
    def last_loss(self) -> float | None:
        return self.epochs[-1].loss if self.epochs else None

    def __post_init__(self) -> None:
        """Raise ConfigError for numbers that no training leads to."""
        counts = (self.step, self.n_tokens, self.n_correct, self.averaged, self.best_epoch)
        if len(self.epochs) != self.epoch or min(counts) < 0:
            raise ConfigError("the training history does not fit together")
