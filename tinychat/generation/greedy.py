"""Greedy decoding: always the likeliest token."""

from collections.abc import Callable, Iterator, Sequence

from tinychat.core.cache import KVCache
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats

_ROWS = 32
"""Prompts that are continued at a time: enough for large products, few enough for the processor's cache."""


def continued(
    transformer: Transformer, prompt: Sequence[int], end_id: int, choose: Callable[[Floats], int]
) -> Iterator[int]:
    """Continue `prompt` token by token until the end token (not yielded) or the end of the context.

    `choose` is given the logits of the next token, shape (V,), and returns the one to go on with.
    """
    n_left = transformer.config.max_seq_len - len(prompt)
    if n_left <= 0:
        return
    cache = KVCache(transformer)
    logits = cache.prefill([prompt])
    while (token := choose(logits[0])) != end_id:
        yield token
        n_left -= 1
        if n_left == 0:
            return
        logits = cache.decode_step([token])


def greedy(transformer: Transformer, prompt: Sequence[int], end_id: int) -> Iterator[int]:
    """Continue `prompt` by the likeliest token each time; see `continued`."""
    return continued(transformer, prompt, end_id, likeliest)


def likeliest(logits: Floats) -> int:
    """The token with the highest of logits of shape (V,), the first of several."""
    return int(logits.argmax())


def greedy_batch(transformer: Transformer, prompts: Sequence[Sequence[int]], end_id: int) -> list[list[int]]:
    """What `greedy` continues each prompt with, in their order, many of them at a time."""
    written: list[list[int]] = [[] for _ in prompts]
    context = transformer.config.max_seq_len
    with_room = [index for index, prompt in enumerate(prompts) if len(prompt) < context]
    by_length = sorted(with_room, key=lambda index: len(prompts[index]))
    for start in range(0, len(by_length), _ROWS):
        open_ = by_length[start : start + _ROWS]
        cache = KVCache(transformer)
        logits = cache.prefill([prompts[index] for index in open_])
        while True:
            going_on: list[tuple[int, int]] = []  # row and its new token
            for row, (index, token) in enumerate(zip(open_, logits.argmax(axis=-1).tolist(), strict=True)):
                if token != end_id:
                    written[index].append(token)
                    if len(prompts[index]) + len(written[index]) < context:
                        going_on.append((row, token))
            if not going_on:
                break
            cache.keep([row for row, _ in going_on])
            open_ = [open_[row] for row, _ in going_on]
            logits = cache.decode_step([token for _, token in going_on])
    return written
