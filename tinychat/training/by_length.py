"""Rows of any lengths, read a few of about the same length at a time, so that little is padding."""

from collections.abc import Sequence

import numpy as np

from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.training.batches import to_batch
from tinychat.training.rows import Row

_ROWS = 32


def exact(transformer: Transformer, rows: Sequence[Row]) -> list[bool]:
    """For each row whether the likeliest token is the right one at every place that counts.

    Then, and only then, greedy decoding writes the answers of the row word for word.
    """
    found = [False] * len(rows)
    for part in parts_by_length(rows, _ROWS):
        right, _ = read_answers(transformer, [rows[index] for index in part])
        for index, is_right in zip(part, right, strict=True):
            found[index] = is_right
    return found


def read_answers(transformer: Transformer, rows: Sequence[Row]) -> tuple[list[bool], list[Floats]]:
    """For each row whether it is `exact`, and what the output layer read where it counts, of shape (N, D)."""
    logits, targets = transformer.predictions(*to_batch(rows))
    right = logits[0].argmax(axis=-1) == targets[0]
    ends = np.cumsum([row.n_predicted for row in rows])[:-1]
    said = np.split(transformer.output.x.copy(), ends)
    return [bool(one.all()) for one in np.split(right, ends)], said


def parts_by_length(rows: Sequence[Row], n: int) -> list[list[int]]:
    """Indices of at most n rows of about the same length at a time, so that little is padding."""
    by_length = sorted(range(len(rows)), key=lambda index: len(rows[index].tokens))
    return [by_length[start : start + n] for start in range(0, len(rows), n)]
