"""The batches that a training run goes through, for those who are to learn from the same."""

from collections.abc import Iterator
from typing import NamedTuple

from tinychat.core.parameters import Ids
from tinychat.training.batches import Drawing, to_batch
from tinychat.training.run import TrainingRun
from tinychat.training.schedule import learning_rate


class Update(NamedTuple):
    """What one update of the weights learns from; ids and targets of shape (B, T)."""

    ids: Ids
    targets: Ids
    lr: float


def updates(run: TrainingRun, phase: str) -> Iterator[Update]:
    """Of all epochs of a phase, in the order of the run, whose Trainer draws them in the same way."""
    config = run.model.card.configs[phase]
    assert config.accumulate == 1
    for epoch in range(config.epochs):
        rng = run._rng(phase, epoch)
        batches = Drawing(run._sources[phase], config.batch_size, rng).batches()
        for step, rows in enumerate(batches):
            done = (epoch + step / len(batches)) / config.epochs
            yield Update(*to_batch(rows), learning_rate(config, done))
