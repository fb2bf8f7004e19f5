"""Projection onto the vocabulary: logits = x w_out + b_out, perhaps softly capped."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.linear import LinearGradients
from tinychat.core.parameters import Floats, ParameterScope, ParameterSpec, he
from tinychat.core.scratch import Scratch


class OutputProjection:
    """Vectors (B, T, D) -> logits (B, T, V).

    With tied embeddings w_out is the transpose of the token embedding (Press & Wolf 2017). With a cap,
    logits = cap tanh(z / cap) for z = x w_out + b_out, so that none is beyond it (Gemma 2).
    """

    def __init__(self, scope: ParameterScope, config: ModelConfig, embedding: ParameterScope) -> None:
        self.b_out, self.db_out = scope.optional("b_out")  # (V,)
        if config.tie_embeddings:
            self.w_out, self.dw_token = embedding["w_token"].T, embedding.grad("w_token")  # (D, V), (V, D)
            self.gradients = None  # the embedding's backward waits for them
        else:
            self.w_out = scope["w_out"]  # (D, V)
            self.gradients = LinearGradients(scope, "w_out", "b_out")
        self.cap = config.logit_softcap
        self._scratch = Scratch(self.w_out.dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str) -> list[ParameterSpec]:
        D, V = config.d_model, config.vocab_size
        specs = [] if config.tie_embeddings else [ParameterSpec(f"{prefix}.w_out", (D, V), std=he(D))]
        if config.output_bias:
            specs.append(ParameterSpec(f"{prefix}.b_out", (V,)))
        return specs

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to logits of shape (B, T, V)."""
        B, T, D = x.shape
        self.x = x.reshape(B * T, D)
        V = self.w_out.shape[1]
        logits = self._scratch("logits", B, T, V)
        np.dot(self.x, self.w_out, out=logits.reshape(B * T, V))
        if self.b_out is not None:
            logits += self.b_out
        if self.cap is not None:
            logits *= 1 / self.cap
            self.capped = self._scratch("capped", *logits.shape)
            np.tanh(logits, out=self.capped)
            np.multiply(self.capped, self.cap, out=logits)
        return logits

    def backward(self, dlogits: Floats) -> Floats:
        """Map dlogits of shape (B, T, V) to dx of shape (B, T, D).

        logits = cap tanh(z / cap):   dz = dlogits * (1 - tanh(z / cap)^2)
        z = x w_out + b_out:          dw_out = x^T dz, db_out = sum dz, dx = dz w_out^T
        """
        B, T, V = dlogits.shape
        dz = dlogits.reshape(B * T, V)
        if self.cap is not None:
            t = self.capped.reshape(B * T, V)
            t *= t
            np.subtract(1, t, out=t)
            dz = np.multiply(t, dz, out=t)
        D = self.x.shape[1]
        dx = self._scratch("dx", B, T, D)
        if self.gradients is not None:
            self.gradients(self.x, dz)
        else:
            np.dot(dz.T, self.x, out=self.dw_token)
            if self.db_out is not None:
                np.dot(self._scratch.ones(B * T), dz, out=self.db_out)
        np.dot(dz, self.w_out.T, out=dx.reshape(B * T, D))
        return dx
