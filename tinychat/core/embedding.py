"""Embedding: every token's vector, and what tells where it stands."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.dropout import Draws, Dropout
from tinychat.core.parameters import Floats, Ids, ParameterScope, ParameterSpec
from tinychat.core.scratch import Scratch

STD = 0.1
"""Of the initial vectors. From RustGPT's 0.02 a rare word never moves far from the others, and answers that
were learnt slip again and again; from 1.0 they are learnt late."""
FEW = 48
"""Among so few places equal tokens are found fastest by comparing each with each."""


class Embedding:
    """y[b, t] = scale * w_token[ids[b, t]] + position[t].

    The positions are learned (w_position), fixed (sinusoids), or none: rotary ones are the attention's.
    """

    def __init__(self, scope: ParameterScope, config: ModelConfig, draws: Draws) -> None:
        self.w_token, self.dw_token = scope["w_token"], scope.grad("w_token")  # (V, D)
        self.w_position, self.dw_position = scope.optional("w_position")  # (max_seq_len, D)
        dtype = self.w_token.dtype
        self.positions = self.w_position
        if config.positions == "sinusoidal":
            self.positions = sinusoids(config.max_seq_len, config.d_model).astype(dtype)
        self.scale = config.d_model**0.5 if config.embedding_scale else 1.0
        self.is_tied = config.tie_embeddings
        self.dropout = Dropout(config.dropout, draws, dtype)
        self._scratch = Scratch(dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str) -> list[ParameterSpec]:
        std = STD / config.d_model**0.5 if config.embedding_scale else STD
        specs = [ParameterSpec(f"{prefix}.w_token", (config.vocab_size, config.d_model), std=std)]
        if config.positions == "learned":
            shape = (config.max_seq_len, config.d_model)
            specs.append(ParameterSpec(f"{prefix}.w_position", shape, std=STD))
        return specs

    def forward(self, ids: Ids) -> Floats:
        """Map ids of shape (B, T), T at most max_seq_len, to y of shape (B, T, D)."""
        self.ids = ids
        B, T = ids.shape
        y = self._scratch("y", B, T, self.w_token.shape[1])
        np.take(self.w_token, ids, axis=0, out=y, mode="clip")  # "raise" would copy through a buffer
        if self.scale != 1:
            y *= self.scale
        if self.positions is not None:
            y += self.positions[:T]
        return self.dropout.forward(y)

    def backward(self, dy: Floats) -> None:
        """Take dy of shape (B, T, D) to the vectors that were looked up.

        A row of dw_token is scale times the sum of dy over all places where its token stands, and a row of
        dw_position the sum over the batch. A token may stand more than once in a row:
        `dw_token[ids] += dy` would keep only its last place. If the output projection is the same
        matrix, its backward has run before, and these sums are added to its gradient.
        """
        dy = self.dropout.backward(dy)
        B, T, D = dy.shape
        if self.dw_position is not None:
            self.dw_position[T:] = 0
            np.dot(self._scratch.ones(B), dy.reshape(B, T * D), out=self.dw_position[:T].reshape(T * D))
        tokens, sums = self._sums_by_token(dy.reshape(B * T, D))
        if self.scale != 1:
            sums *= self.scale
        if self.is_tied:
            work = self._scratch("work", *sums.shape)
            sums += np.take(self.dw_token, tokens, axis=0, out=work, mode="clip")
        else:
            self.dw_token.fill(0)
        self.dw_token[tokens] = sums

    def _sums_by_token(self, dy: Floats) -> tuple[Ids, Floats]:
        """From dy of shape (B T, D): tokens, of shape (n,), each at least once, and the sums of dy over all
        places of each, of shape (n, D).
        """
        ids = self.ids.reshape(-1)
        N, D = dy.shape
        if N <= FEW:
            same = self._scratch("same", N, N)
            same[...] = ids[:, None] == ids
            return ids, np.dot(same, dy, out=self._scratch("sums", N, D))
        order = np.argsort(ids, kind="stable")  # equal tokens side by side
        tokens = ids[order]
        is_first = np.ones(N, bool)
        np.not_equal(tokens[1:], tokens[:-1], out=is_first[1:])
        first = np.flatnonzero(is_first)
        by_token = self._scratch("work", N, D)
        np.take(dy, order, axis=0, out=by_token, mode="clip")
        sums = np.add.reduceat(by_token, first, axis=0, out=self._scratch("sums", len(first), D))
        return tokens[first], sums


def sinusoids(max_seq_len: int, d_model: int) -> Floats:
    """Sines and cosines of place t at rising wavelengths, shape (max_seq_len, d_model).

    Number 2 i is sin(t / 10000^(2 i / D)), number 2 i + 1 its cosine (Vaswani et al. 2017, section 3.5).
    """
    angles = np.arange(max_seq_len)[:, None] * 10_000.0 ** (-np.arange(0, d_model, 2) / d_model)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(max_seq_len, d_model)
