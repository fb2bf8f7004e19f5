"""Projection onto the vocabulary: logits = x w_out + b_out."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.parameters import Floats, ParameterScope, ParameterSpec, he
from tinychat.core.scratch import Scratch


class OutputProjection:
    """Vectors (B, T, D) -> logits (B, T, V)."""

    def __init__(self, scope: ParameterScope) -> None:
        self.w_out, self.dw_out = scope["w_out"], scope.grad("w_out")  # (D, V)
        self.b_out, self.db_out = scope["b_out"], scope.grad("b_out")  # (V,)
        self._scratch = Scratch(self.w_out.dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str) -> list[ParameterSpec]:
        return [
            ParameterSpec(f"{prefix}.w_out", (config.d_model, config.vocab_size), std=he(config.d_model)),
            ParameterSpec(f"{prefix}.b_out", (config.vocab_size,)),
        ]

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to logits of shape (B, T, V)."""
        B, T, D = x.shape
        self.x = x.reshape(B * T, D)
        logits = self._scratch("logits", B, T, len(self.b_out))
        np.dot(self.x, self.w_out, out=logits.reshape(B * T, -1))
        logits += self.b_out
        return logits

    def backward(self, dlogits: Floats) -> Floats:
        """Map dlogits of shape (B, T, V) to dx of shape (B, T, D).

        logits = x w_out + b_out:   dw_out = x^T dlogits, db_out = sum dlogits, dx = dlogits w_out^T
        """
        B, T, V = dlogits.shape
        flat = dlogits.reshape(B * T, V)
        dx = self._scratch("dx", B, T, self.x.shape[1])
        np.dot(self.x.T, flat, out=self.dw_out)
        np.dot(self._scratch.ones(B * T), flat, out=self.db_out)
        np.dot(flat, self.w_out.T, out=dx.reshape(B * T, -1))
        return dx
