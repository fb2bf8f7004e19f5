"""A range of learning rates tried in one short run (Smith 2017, section 3.3)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
from threadpoolctl import threadpool_limits

from tinychat.config import TrainConfig
from tinychat.core.model import Transformer
from tinychat.training.batches import Batch, Drawing, to_batch
from tinychat.training.optimizer import clip_by_global_norm_, make_optimizer
from tinychat.training.rows import RowSource

LOWEST, HIGHEST = 1e-6, 1.0
UPDATES = 120
SMOOTHING = 0.9
"""Memory of the moving average of the losses, each of which is of another batch."""
YOUNG = 10
"""Trials at the start whose average is of so few losses that it rises and falls by chance."""
BLOWN_UP = 2.0
"""Times the lowest loss at which the search ends: beyond there is nothing to see."""


@dataclass(frozen=True)
class Trial:
    """One update."""

    lr: float
    loss: float
    """Nats per token before the update, smoothed."""


def try_rates(
    transformer: Transformer, source: RowSource, config: TrainConfig, rng: np.random.Generator
) -> list[Trial]:
    """Train from the weights as they are, at rates that rise from update to update by the same factor.

    The weights are spoilt afterwards. A batch is as large as those that an update takes together.
    """
    optimizer = make_optimizer(config.optimizer, transformer.parameters)
    trials: list[Trial] = []
    average = 0.0
    with threadpool_limits(limits=1, user_api="blas"), np.errstate(all="ignore"):
        for update, batch in enumerate(islice(_batches(source, config, rng), UPDATES)):
            lr = LOWEST * (HIGHEST / LOWEST) ** (update / (UPDATES - 1))
            loss = transformer.loss_and_gradients(*batch, rng if transformer.config.dropout else None)
            norm = clip_by_global_norm_(transformer.parameters.grads, config.clip_norm)
            if not math.isfinite(loss.total + norm):
                break
            average = SMOOTHING * average + (1 - SMOOTHING) * loss.mean
            smoothed = average / (1 - SMOOTHING ** (update + 1))
            trials.append(Trial(lr, smoothed))
            if smoothed > BLOWN_UP * min(trial.loss for trial in trials):
                break
            optimizer.step(config, lr)
    return trials


def _batches(source: RowSource, config: TrainConfig, rng: np.random.Generator) -> Iterator[Batch]:
    batches = Drawing(source, config.batch_size * config.accumulate, rng).batches()
    for batch in cycle(batches):
        yield to_batch(batch)


def steepest(trials: list[Trial]) -> float:
    """The rate at which the loss fell fastest: the largest drop a step of the rate's logarithm.

    The YOUNG trials do not count where there are others, nor does what follows upon the lowest loss.
    """
    losses = np.array([trial.loss for trial in trials])
    if len(losses) < 2:
        return trials[0].lr
    first = YOUNG if len(losses) > YOUNG else 0
    lowest = first + int(losses[first:].argmin())
    return trials[first + int(np.gradient(losses)[first : lowest + 1].argmin())].lr
