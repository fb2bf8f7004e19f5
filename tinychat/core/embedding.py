"""Token embedding with learned positions: y[b, t] = w_token[ids[b, t]] + w_position[t]."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.parameters import Floats, Ids, ParameterScope, ParameterSpec
from tinychat.core.scratch import Scratch

STD = 0.1
"""Of the initial vectors. From RustGPT's 0.02 a rare word never moves far from the others, and answers that
were learnt slip again and again; from 1.0 they are learnt late."""


class Embedding:
    """Ids (B, T) -> vectors (B, T, D)."""

    def __init__(self, scope: ParameterScope) -> None:
        self.w_token, self.dw_token = scope["w_token"], scope.grad("w_token")  # (V, D)
        self.w_position, self.dw_position = scope["w_position"], scope.grad("w_position")  # (max_seq_len, D)
        self._scratch = Scratch(self.w_token.dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str) -> list[ParameterSpec]:
        return [
            ParameterSpec(f"{prefix}.w_token", (config.vocab_size, config.d_model), std=STD),
            ParameterSpec(f"{prefix}.w_position", (config.max_seq_len, config.d_model), std=STD),
        ]

    def forward(self, ids: Ids) -> Floats:
        """Map ids of shape (B, T), T at most max_seq_len, to y of shape (B, T, D)."""
        self.ids = ids
        B, T = ids.shape
        y = self._scratch("y", B, T, self.w_token.shape[1])
        np.take(self.w_token, ids, axis=0, out=y, mode="clip")  # "raise" would copy through a buffer
        y += self.w_position[:T]
        return y

    def backward(self, dy: Floats) -> None:
        """Take dy of shape (B, T, D) to the vectors that were looked up.

        y[b, t] = w_token[ids[b, t]] + w_position[t], so a row of dw_token is the sum of dy over all places
        where its token stands, and a row of dw_position the sum over the batch. A token may stand more than
        once in a row: `dw_token[ids] += dy` would keep only its last place.
        """
        B, T, D = dy.shape
        self.dw_token.fill(0)
        for index, row in zip(self.ids.ravel().tolist(), dy.reshape(B * T, D), strict=True):
            self.dw_token[index] += row
        self.dw_position[T:] = 0
        np.sum(dy, axis=0, out=self.dw_position[:T])
