"""What is kept beside the weights while they change: their moving average, and the best so far."""

import math
from collections.abc import Sequence

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.training.average import WeightAverage
from tinychat.training.batches import Batch
from tinychat.training.history import PhaseProgress
from tinychat.training.team import Team


class Keeper:
    """At the end of a phase the weights become what was kept: the best, else the average, else they stay.

    Measured and kept as the best are the averaged weights, if an average is kept. The vectors live in
    `extras`, the counts in `progress`, so that a phase can be resumed.
    """

    def __init__(
        self,
        team: Team,
        held_out: Sequence[Batch],
        config: TrainConfig,
        progress: PhaseProgress,
        extras: dict[str, Floats],
    ) -> None:
        self.team, self.held_out = team, held_out
        self.config, self.progress, self.extras = config, progress, extras
        self._values = team.transformer.parameters.values
        self._average = None
        if config.ema_decay and not progress.is_ended:
            ema = extras.setdefault("average", np.zeros_like(self._values))
            self._average = WeightAverage(ema, progress.averaged)

    def after_update(self) -> None:
        if self._average is not None:
            self._average.update(self._values, self.config.ema_decay)
            self.progress.averaged = self._average.updates

    def after_epoch(self) -> float | None:
        """Measure on the rows held out, in nats a token, and keep the weights if they are the best so far.

        To be called before the epoch is counted.
        """
        if not self.held_out:
            return None
        current = self._values
        if self._average is not None:
            current = self._values.copy()
            self._values[...] = self._average.ema
        try:
            loss = Loss.sum(self.team.read(loss_of, self.held_out)).mean
        except BaseException:  # a worker has died: those who save now save the weights
            self._values[...] = current
            raise
        if loss < (math.inf if self.progress.best_loss is None else self.progress.best_loss):
            self.progress.best_loss, self.progress.best_epoch = loss, self.progress.epoch + 1
            self.extras.setdefault("best", np.empty_like(self._values))[...] = self._values
        self._values[...] = current
        return loss

    @property
    def is_patience_out(self) -> bool:
        """Whether the best is so old that the phase may end."""
        progress, patience = self.progress, self.config.patience
        return bool(patience and self.held_out) and progress.epoch - progress.best_epoch >= patience

    def end(self) -> None:
        """Put what was kept in the place of the weights. A phase ends once."""
        if self.progress.is_ended:
            return
        average, best = self.extras.pop("average", None), self.extras.pop("best", None)
        kept = average if best is None else best
        if kept is not None:
            self._values[...] = kept
        self.progress.is_ended = True


def loss_of(transformer: Transformer, batch: Batch) -> Loss:
    """That of the ids and targets, both of shape (B, T), of a batch."""
    return transformer.loss(*batch)
