"""Who computes an update: this process, with or without others."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.training.batches import Batch
from tinychat.training.optimizer import Optimizer
from tinychat.training.rows import Row

Found = TypeVar("Found")


class Team(Protocol):
    """Workers, who share a batch, or a Partner, for batches of one example.

    In each update come `loss_and_gradients` (of every batch, where several are accumulated), `global_norm`
    and `step`. All raise WorkerError if another process is no longer there.
    """

    transformer: Transformer

    def loss_and_gradients(
        self,
        rows: Sequence[Row],
        rngs: Sequence[np.random.Generator | None],
        meanwhile: Callable[[], bool] | None = None,
    ) -> Loss:
        """As the Transformer's, of all rows together; one generator for every worker that may take part.

        While others are waited for, `meanwhile` may be called again and again, until it returns False.
        """
        ...

    def read(self, function: Callable[[Transformer, Batch], Found], batches: Sequence[Batch]) -> list[Found]:
        """What a function of a module, which other processes can import, finds of each batch.

        What is not finite raises no warning. No bit depends on who takes part.
        """
        ...

    def global_norm(self) -> float:
        """L2 norm of all gradients."""
        ...

    def step(
        self,
        optimizer: Optimizer,
        config: TrainConfig,
        lr: float,
        scale: float = 1.0,
        coming: Sequence[Row] | None = None,
    ) -> None:
        """As the optimiser's, with `scale` times the gradients.

        `coming` are the rows of the next batch, if it is known: they may be read already.
        """
        ...
