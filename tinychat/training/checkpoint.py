"""A training run that keeps a file up to date, so that whatever stops it, it can be resumed."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from tinychat.training.events import CheckpointSaved, EpochDone, Event, Finished
from tinychat.training.run import TrainingRun
from tinychat.weights import save

EVERY_S = 10.0
"""Seconds between two checkpoints, at least; the first follows the first epoch."""


def checkpointed(run: TrainingRun, path: Path) -> Iterator[Event]:
    """The events of `run`, and a CheckpointSaved after every writing of `path`; Finished stays the last.

    Whoever stops in between and wants that place kept calls `save` on the run's model.
    Raise StorageError if the file cannot be written.
    """
    saved_at: float | None = None
    for event in run.run():
        if isinstance(event, Finished):
            yield CheckpointSaved(str(save(run.model, path)))
        yield event
        if isinstance(event, EpochDone) and (saved_at is None or monotonic() - saved_at >= EVERY_S):
            yield CheckpointSaved(str(save(run.model, path)))
            saved_at = monotonic()
