"""The vectors of the tokens: a map of all, and the neighbours of one."""

from dataclasses import dataclass

import numpy as np

from tinychat.core.parameters import Floats, Ids
from tinychat.errors import UsageError
from tinychat.inspection.reading import shown
from tinychat.model import Model


@dataclass(frozen=True)
class EmbeddingMap:
    """The V vectors of the token embedding, seen from the side from which they differ most."""

    tokens: tuple[str, ...]
    points: Floats
    """Shape (V, 2): coordinates along the first two principal components, around 0."""
    explained: Floats
    """Shape (2,): share of the variance that lies along each; what is missing to 1 cannot be seen."""


@dataclass(frozen=True)
class Neighbours:
    """The n tokens whose vectors point most nearly where that of a word does."""

    id: int
    token: str
    ids: Ids
    """Shape (n,), the nearest first."""
    tokens: tuple[str, ...]
    similarity: Floats
    """Shape (n,): cosine of the angle, 1 for the same direction, 0 for nothing in common."""


def embedding_map(model: Model) -> EmbeddingMap:
    """Principal components (Pearson 1901) of the token embedding, by a singular value decomposition.

    X = U S V^T for the centred vectors X: the rows of V^T are the components, U S the coordinates, and S^2
    the variance along each, times V - 1. A component may point either way; here its longest coordinate is
    positive.
    """
    vectors = _vectors(model)
    centred = vectors - vectors.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(vectors), 2))
    shares = np.zeros(2)
    n = min(2, len(s))
    points[:, :n] = u[:, :n] * s[:n]
    shares[:n] = s[:n] ** 2 / max(float(s @ s), 1e-30)
    longest = points[np.abs(points).argmax(axis=0), [0, 1]]
    points *= np.where(longest < 0, -1, 1)
    return EmbeddingMap(shown(model.tokenizer, range(len(vectors))), points, shares)


def nearest_words(model: Model, word: str, n: int = 10) -> Neighbours:
    """The n tokens nearest to `word` by the cosine between their embeddings, itself left out.

    Raise UsageError if the word is not one token of the model, or there are not so many others.
    """
    index = _token_of(model, word)
    vectors = _vectors(model)
    if not 1 <= n < len(vectors):
        raise UsageError(f"there are {len(vectors) - 1} other tokens, not {n}")
    lengths = np.linalg.norm(vectors, axis=1)
    units = vectors / np.where(lengths > 0, lengths, 1)[:, None]
    cosines = units @ units[index]
    order = np.argsort(-cosines, kind="stable")
    ids = order[order != index][:n]
    tokenizer = model.tokenizer
    return Neighbours(index, tokenizer.shown(index), ids, shown(tokenizer, ids.tolist()), cosines[ids])


def _vectors(model: Model) -> Floats:
    """Copy of shape (V, D), in float64."""
    return model.transformer.embedding.w_token.astype(np.float64)


def _token_of(model: Model, word: str) -> int:
    """The id of a word; where tokens begin with spaces, that of the word within a text if need be."""
    tokenizer = model.tokenizer
    word = word.strip()
    if not word:
        raise UsageError("the word is empty; type one")
    if tokenizer.unknown_spans(word):
        nearest = tokenizer.nearest(word)
        hint = f"perhaps {nearest!r} is meant" if nearest else "only words of its corpus have a vector"
        raise UsageError(f"the model does not know the word {word!r}; {hint}")
    for text in (word, f" {word}"):
        if len(ids := tokenizer.encode(text)) == 1:
            return ids[0]
    parts = "|".join(shown(tokenizer, tokenizer.encode(word)))
    raise UsageError(f"{word!r} is more than one token to this model: {parts}; give one token")
