"""Greedy decoding: always the likeliest token."""

from collections.abc import Iterator

import numpy as np

from tinychat.core.model import Transformer


def greedy(transformer: Transformer, prompt: list[int], end_id: int) -> Iterator[int]:
    """Continue `prompt` token by token until the end token (not yielded) or the end of the context."""
    ids = np.array([prompt], np.int64)
    while ids.shape[1] < transformer.config.max_seq_len:
        token = int(transformer.forward(ids)[0, -1].argmax())
        if token == end_id:
            return
        yield token
        ids = np.append(ids, [[token]], axis=1)
