"""Rows of any lengths, read a few of about the same length at a time, so that little is padding."""

from collections.abc import Sequence

import numpy as np

from tinychat.config import IGNORE
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.training.batches import to_batch
from tinychat.training.rows import Row

_ROWS = 16


def loss_and_gradients(transformer: Transformer, rows: Sequence[Row]) -> Loss:
    """As the Transformer's, of all rows together, read a few of about the same length at a time."""
    grads = transformer.parameters.grads
    total, losses = np.zeros_like(grads), []
    for part in _parts(rows):
        losses.append(transformer.loss_and_gradients(*to_batch([rows[index] for index in part])))
        grads *= losses[-1].tokens
        total += grads
    loss = Loss.sum(losses)
    np.divide(total, max(loss.tokens, 1), out=grads)
    return loss


def exact(transformer: Transformer, rows: Sequence[Row]) -> list[bool]:
    """For each row whether the likeliest token is the right one at every place that counts.

    Then, and only then, greedy decoding writes the answers of the row word for word.
    """
    found = [False] * len(rows)
    for part in _parts(rows):
        ids, targets = to_batch([rows[index] for index in part])
        likeliest = transformer.forward(ids).argmax(axis=-1)
        right = ((likeliest == targets) | (targets == IGNORE)).all(axis=1)
        for index, is_right in zip(part, right.tolist(), strict=True):
            found[index] = is_right
    return found


def _parts(rows: Sequence[Row]) -> list[list[int]]:
    """Indices of rows of about the same length, so that little is padding."""
    by_length = sorted(range(len(rows)), key=lambda index: len(rows[index].tokens))
    return [by_length[start : start + _ROWS] for start in range(0, len(rows), _ROWS)]
