"""Tokenizers, dialogues and their rows, for tests of rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from tiny_runs import CORPUS, DIALOGUES

from tinychat.config import TrainConfig
from tinychat.corpus import Dialogue, Turn
from tinychat.tokenizer import Tokenizer, train_tokenizer
from tinychat.training.rows import DialogueRows, Row, RowSource

KINDS = ("word", "char", "bpe")
every_tokenizer = pytest.mark.parametrize("kind", KINDS)


def tokenizer_of(kind: str) -> Tokenizer:
    return train_tokenizer(kind, CORPUS.texts(), 300)


def rows_of(
    tokenizer: Tokenizer,
    dialogues: Sequence[Dialogue] = DIALOGUES,
    context: int = 1000,
    declines: Sequence[str] = (),
    **recipe: Any,
) -> DialogueRows:
    return DialogueRows(dialogues, tokenizer, context, TrainConfig(**recipe), declines)


def draw(source: RowSource, rng: np.random.Generator) -> list[Row]:
    """The rows of an epoch, at once."""
    steps = source.drawing(rng)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            rows: list[Row] = end.value
            return rows


def drawn(rows: DialogueRows, seed: int = 0) -> list[Row]:
    return draw(rows, np.random.default_rng(seed))


TEXTS = st.lists(
    st.sampled_from(
        ["What", " ", "\n", "'s", "n't", "?", ".", "(", "3", "é", "🙂", "User:", "Assistant:", "</s>"]
    ),
    min_size=1,
).map("".join)
MANY: tuple[Dialogue, ...] = tuple(  # each with a word of its own
    (Turn(f"What is the {'abcdefgh'[n % 8] * 3}{'stuvwxyz'[n // 8] * 4}?", f"It is number {n}."),)
    for n in range(64)
)
