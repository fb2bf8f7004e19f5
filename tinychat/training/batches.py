"""From rows to arrays: batches of rows of about the same length."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from tinychat.config import IGNORE, TrainConfig
from tinychat.core.parameters import Ids
from tinychat.training.rows import Row, RowSource

Batch = tuple[Ids, Ids]
"""Ids and targets, both ndarray of shape (B, T): the target of a place is the id of the next, or IGNORE."""

MOST_PADDING = 0.1
"""Largest share of a batch's places that may be mere padding."""
AT_A_TIME = 4
"""Rows of a product that BLAS makes together on most processors; 23 take half as long again as 24."""


def to_batch(rows: Sequence[Row], context: int = 0) -> Batch:
    """Rows of any lengths, the shorter ones padded at their end: no place looks at what is behind it.

    With the `context` of the model, a row that is alone is padded to a length at which products are fast, if
    that is not beyond; with 0 it is not.
    """
    T = max(len(row.tokens) for row in rows) - 1
    if len(rows) == 1:
        T = max(T, min(T + -T % AT_A_TIME, context))
    ids = np.zeros((len(rows), T), np.int64)
    targets = np.full((len(rows), T), IGNORE, np.int64)
    for b, row in enumerate(rows):
        t = len(row.tokens) - 1
        ids[b, :t] = row.tokens[:-1]
        targets[b, :t] = row.tokens[1:]
        if False in row.counts:
            targets[b, :t][np.logical_not(row.counts[1:])] = IGNORE
    return ids, targets


def grouped(rows: Sequence[Row], batch_size: int, rng: np.random.Generator) -> list[list[Row]]:
    """Rows in a random order, in batches of at most `batch_size` with no more than MOST_PADDING.

    Rows are sorted by length, equally long ones at random, cut into batches, and the batches shuffled.
    """
    shuffled = [rows[index] for index in rng.permutation(len(rows)).tolist()]
    if batch_size == 1:
        return [[row] for row in shuffled]
    batches: list[list[Row]] = []
    places = 0
    for row in sorted(shuffled, key=lambda row: len(row.tokens)):
        length = len(row.tokens) - 1
        if (
            not batches
            or len(batches[-1]) == batch_size
            or places + length < (1 - MOST_PADDING) * length * (len(batches[-1]) + 1)
        ):
            batches.append([])
            places = 0
        batches[-1].append(row)
        places += length
    return [batches[index] for index in rng.permutation(len(batches)).tolist()]


class Drawing:
    """The batches of an epoch: made step by step while there is time, and what is left of them at once.

    Until it is asked for them there are the rows of two epochs, that under way and this one.
    """

    def __init__(self, source: RowSource, batch_size: int, rng: np.random.Generator) -> None:
        self._steps, self._batch_size, self._rng = source.drawing(rng), batch_size, rng
        self._rows: list[Row] | None = None

    def go_on(self) -> bool:
        """Take a step; False if none is left."""
        if self._rows is None:
            try:
                next(self._steps)
            except StopIteration as end:
                self._rows = end.value
        return self._rows is None

    def batches(self) -> list[list[Row]]:
        """Asked for once."""
        while self.go_on():
            pass
        return grouped(self._rows or [], self._batch_size, self._rng)


def enough_epochs(config: TrainConfig, rows: Sequence[Row]) -> int:
    """Epochs of a phase with such rows: those of the recipe, or more to come to `min_updates`."""
    if not (config.epochs and config.min_updates and rows):
        return config.epochs
    n_batches = len(grouped(rows, config.batch_size, np.random.default_rng(0)))  # whatever their order
    return max(config.epochs, ceil(config.min_updates / ceil(n_batches / config.accumulate)))
