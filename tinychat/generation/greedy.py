"""Greedy decoding: always the likeliest token."""

from collections.abc import Iterator, Sequence

import numpy as np

from tinychat.core.model import Transformer

_ROWS = 32
"""Prompts that are continued at a time: enough for large products, few enough for the cache."""


def greedy(transformer: Transformer, prompt: list[int], end_id: int) -> Iterator[int]:
    """Continue `prompt` token by token until the end token (not yielded) or the end of the context."""
    row = list(prompt)
    while len(row) < transformer.config.max_seq_len:
        token = _next_tokens(transformer, [row])[0]
        if token == end_id:
            return
        yield token
        row.append(token)


def greedy_batch(transformer: Transformer, prompts: Sequence[list[int]], end_id: int) -> list[list[int]]:
    """What `greedy` continues each prompt with, in their order, many of them at a time."""
    written: list[list[int]] = [[] for _ in prompts]
    by_length = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    for start in range(0, len(by_length), _ROWS):
        open_ = by_length[start : start + _ROWS]
        while open_:
            rows = [prompts[index] + written[index] for index in open_]
            roomy = [len(row) < transformer.config.max_seq_len for row in rows]
            open_ = [index for index, has_room in zip(open_, roomy, strict=True) if has_room]
            if not open_:
                break
            tokens = _next_tokens(transformer, [row for row, room in zip(rows, roomy, strict=True) if room])
            for index, token in zip(open_, tokens, strict=True):
                if token != end_id:
                    written[index].append(token)
            open_ = [index for index, token in zip(open_, tokens, strict=True) if token != end_id]
    return written


def _next_tokens(transformer: Transformer, rows: Sequence[list[int]]) -> list[int]:
    lengths = np.array([len(row) for row in rows])
    ids = np.zeros((len(rows), lengths.max()), np.int64)
    for b, row in enumerate(rows):
        ids[b, : len(row)] = row
    tokens: list[int] = transformer.next_logits(ids, lengths).argmax(axis=-1).tolist()
    return tokens
