"""A copy of a model that may know more words. The flat vectors never grow, so the copy has longer ones."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Ids
from tinychat.model import Model
from tinychat.tokenizer import Tokenizer
from tinychat.training.optimizer import make_optimizer


def grown(model: Model, tokenizer: Tokenizer, rng: np.random.Generator) -> Model:
    """A model with the same weights, and the same past of its training, that shares no array with `model`.

    `tokenizer` has the old tokens and perhaps more behind them. The weights of those are drawn with the mean
    and the deviation of the old ones (Hewitt 2021, https://nlp.stanford.edu/~johnhew/vocab-expansion.html).
    The optimiser knows nothing of their past.
    """
    old, transformer = model.transformer, Transformer(replace(model.config, vocab_size=tokenizer.vocab_size))
    values = transformer.parameters.values
    _move(old, transformer, old.parameters.values, values)
    _draw_new(old, transformer, rng)
    optimizer = None
    if model.optimizer is not None:
        optimizer = make_optimizer(model.optimizer.kind, transformer.parameters)
        optimizer.updates = model.optimizer.updates
        for name, vector in model.optimizer.state.items():
            _move(old, transformer, vector, optimizer.state[name])
    extras = {name: values.copy() for name in model.extras}
    for name, vector in model.extras.items():
        _move(old, transformer, vector, extras[name])
    return Model(transformer, tokenizer, model.card, optimizer, extras)


def narrowed(transformer: Transformer, tokens: Ids) -> Transformer:
    """One that knows these tokens only, of shape (V',), under the numbers of their places in `tokens`.

    Its products with the vocabulary are as much shorter.
    """
    narrow = Transformer(replace(transformer.config, vocab_size=len(tokens)))
    for few, known, chosen in _chosen(narrow, transformer, tokens):
        few[...] = known[chosen]
    return narrow


def widen_(narrow: Transformer, transformer: Transformer, tokens: Ids) -> None:
    """Give the weights of a narrowed one to the transformer that it was made from."""
    for few, known, chosen in _chosen(narrow, transformer, tokens):
        known[chosen] = few


def _chosen(
    narrow: Transformer, wide: Transformer, tokens: Ids
) -> Iterator[tuple[Floats, Floats, tuple[Ids | slice, ...]]]:
    """Of each parameter the view in either, and the part of the wide one that the narrow one has."""
    views = [m.parameters.views(m.parameters.values) for m in (narrow, wide)]
    for (_, few), (_, known) in zip(*views, strict=True):
        sizes = zip(few.shape, known.shape, strict=True)
        yield few, known, tuple(slice(None) if n == m else tokens for n, m in sizes)


def _move(smaller: Transformer, larger: Transformer, source: Floats, target: Floats) -> None:
    """Copy a flat vector into that of a larger vocabulary, whose new tokens come last on an axis."""
    pairs = zip(smaller.parameters.views(source), larger.parameters.views(target), strict=True)
    for (_, old), (_, new) in pairs:
        new[tuple(map(slice, old.shape))] = old


def _draw_new(smaller: Transformer, larger: Transformer, rng: np.random.Generator) -> None:
    """Draw the weights of the new tokens."""
    old_views, new_views = (m.parameters.views(m.parameters.values) for m in (smaller, larger))
    for (_, old), (_, new) in zip(old_views, new_views, strict=True):
        for axis, size in enumerate(old.shape):
            if size < new.shape[axis]:
                rows = np.moveaxis(new, axis, 0)[size:]
                rows[...] = old.mean(axis) + old.std(axis) * rng.standard_normal(rows.shape, dtype=np.float32)
