"""A model to look into, and what it may be asked to read."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Ids
from tinychat.core.softmax import softmax_
from tinychat.errors import UsageError
from tinychat.model import Model
from tinychat.tokenizer import Tokenizer


def copied(model: Model) -> Model:
    """The model with weights and work arrays of its own: neither changes while a training goes on."""
    transformer = model.transformer
    values = transformer.parameters.values.copy()
    return replace(model, transformer=Transformer(transformer.config, values=values))


def checked(model: Model, ids: Sequence[int]) -> Ids:
    """Ids as a batch of one row, of shape (1, T). Raise UsageError unless the model can read them."""
    context, vocab_size = model.config.max_seq_len, model.config.vocab_size
    if not 1 <= len(ids) <= context:
        raise UsageError(f"{len(ids)} tokens cannot be read at a time; give 1 to {context}")
    if not all(0 <= index < vocab_size for index in ids):
        raise UsageError(f"an id is not in the vocabulary of {vocab_size} tokens")
    return np.array([ids], np.int64)


def shown(tokenizer: Tokenizer, ids: Sequence[int]) -> tuple[str, ...]:
    """Every token as one can read it."""
    return tuple(tokenizer.shown(index) for index in ids)


def probabilities(logits: Floats) -> Floats:
    """Softmax of logits (..., V), in float64: of the smallest, more than a few digits are right."""
    return softmax_(logits.astype(np.float64))


def likeliest(chances: Floats, n: int) -> tuple[Ids, Floats]:
    """Ids and probabilities, each of shape (..., n), of the n likeliest tokens, from those of shape (..., V).

    Of equally likely ones the first, as in greedy decoding; all V if there are no more. Raise UsageError
    unless n is at least 1.
    """
    if n < 1:
        raise UsageError(f"the likeliest {n} tokens cannot be told; ask for 1 or more")
    ids = np.argsort(-chances, axis=-1, kind="stable")[..., :n]
    return ids, np.take_along_axis(chances, ids, axis=-1)
