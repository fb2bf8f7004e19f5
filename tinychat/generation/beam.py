"""Beam search: several answers are written side by side; the one that is likeliest as a whole is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from tinychat.core.cache import KVCache
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.errors import ConfigError

WIDEST = 1024
"""Answers at most: memory grows with each."""
HIGHEST_PENALTY = 10
"""Beyond it the longest answer wins whatever it says, and at last a power overflows."""


@dataclass(frozen=True)
class Beams:
    """How many answers are followed, and how they are compared. Raises ConfigError for other values."""

    width: int = 4
    """Answers that are followed; 1 is greedy decoding."""
    length_penalty: float = 0.6
    """0: the likeliest answer, and short ones are; the higher, the less being long counts against it."""

    def __post_init__(self) -> None:
        if type(self.width) is not int or self.width < 1:
            raise ConfigError(f"beams must be a whole number of at least 1, not {self.width!r}")
        if self.width > WIDEST:
            raise ConfigError(f"beams must be at most {WIDEST}, not {self.width}")
        if type(self.length_penalty) not in (int, float) or not 0 <= self.length_penalty <= HIGHEST_PENALTY:
            raise ConfigError(
                f"length_penalty must be a number of at least 0 and at most {HIGHEST_PENALTY}, "
                f"not {self.length_penalty!r}"
            )

    def score(self, log_probability: float, n_tokens: int) -> float:
        """log P(Y) / ((5 + |Y|) / 6)^length_penalty, the end token counted in Y (Wu et al. 2016, eq. 14)."""
        return float(log_probability / ((5 + n_tokens) / 6) ** self.length_penalty)


def beam_search(transformer: Transformer, prompt: Sequence[int], end_id: int, beams: Beams) -> list[int]:
    """The continuation of `prompt` with the highest score among those followed, without the end token.

    At every token the `width` likeliest of all continuations by one token go on. One that ends is ready, as
    are all at the end of the context. Nothing better can come once the likeliest open one, if it stayed as
    likely up to there, had a lower score than the best that is ready.
    """
    room = transformer.config.max_seq_len - len(prompt)
    if room <= 0:
        return []
    cache = KVCache(transformer)
    found = log_probabilities(cache.prefill([prompt]))  # (W, V): of every token behind every open text
    texts: list[list[int]] = [[]]
    best_score, best = -inf, texts[0]
    for n_tokens in range(1, room + 1):
        parents, tokens = np.unravel_index(_highest(found.ravel(), beams.width), found.shape)
        open_: list[tuple[int, int]] = []  # row of the text that goes on, and its new token
        for parent, token in zip(parents.tolist(), tokens.tolist(), strict=True):
            is_end = token == end_id
            if not is_end and n_tokens < room:
                open_.append((parent, token))
                continue
            score = beams.score(found[parent, token], n_tokens)
            if score > best_score:
                best_score, best = score, texts[parent] + [token] * (not is_end)
        sums = np.array([found[row] for row in open_])
        if not open_ or beams.score(sums.max(), room) <= best_score:
            break
        texts = [[*texts[parent], token] for parent, token in open_]
        cache.keep([parent for parent, _ in open_])
        found = sums[:, None] + log_probabilities(cache.decode_step([token for _, token in open_]))
    return best


def log_probabilities(logits: Floats) -> Floats:
    """Logits of shape (B, V) -> natural logarithms of the probabilities, of that shape, in float64."""
    shifted: Floats = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def _highest(values: Floats, n: int) -> NDArray[np.intp]:
    """Indices of the `n` highest, from the highest; of equal ones the first comes first."""
    return np.argsort(-values, kind="stable")[:n]
