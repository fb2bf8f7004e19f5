"""Causal self-attention (Vaswani et al. 2017, section 3.2)."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.parameters import Floats, ParameterScope, ParameterSpec, he
from tinychat.core.scratch import Scratch
from tinychat.core.softmax import softmax_, softmax_backward_


class SelfAttention:
    """Every place takes a weighted mean of the values at its own and all earlier places.

    weights = softmax(q k^T / sqrt(E) + mask), y = weights v, in each of H heads of width E.
    w_q, w_k and w_v stand side by side in one matrix, so that one product makes all three.
    """

    def __init__(self, scope: ParameterScope, config: ModelConfig) -> None:
        self.w_qkv, self.dw_qkv = scope["w_qkv"], scope.grad("w_qkv")  # (D, 3 H E)
        self.n_heads, self.head_dim = config.n_heads, config.head_dim
        self.scale = config.head_dim**-0.5
        # Added to the scores: 0 where a place may look, -inf at every later place.
        self.mask = np.triu(np.full((config.max_seq_len,) * 2, -np.inf, self.w_qkv.dtype), 1)
        self._scratch = Scratch(self.w_qkv.dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str) -> list[ParameterSpec]:
        width = 3 * config.n_heads * config.head_dim
        return [ParameterSpec(f"{prefix}.w_qkv", (config.d_model, width), std=he(config.d_model))]

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to y of shape (B, T, D)."""
        B, T, D = x.shape
        H = self.n_heads
        qkv = self._scratch("qkv", B, T, self.w_qkv.shape[1])
        scores = self._scratch("scores", B, H, T, T)
        y = self._scratch("y", B, T, D)
        np.dot(x.reshape(B * T, D), self.w_qkv, out=qkv.reshape(B * T, -1))
        q, k, v = self._heads(qkv)
        np.matmul(q, k.swapaxes(-1, -2), out=scores)
        scores *= self.scale
        scores += self.mask[:T, :T]
        weights = softmax_(scores)
        np.matmul(weights, v, out=self._split(y))
        self.x, self.qkv, self.weights = x, qkv, weights
        return y

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (B, T, D) to dx of shape (B, T, D).

        y = weights v:            dweights = dy v^T, dv = weights^T dy
        weights = softmax(s):     ds by softmax_backward_; a masked weight is 0, and so is its ds
        s = q k^T scale:          dq = scale ds k, dk = scale ds^T q
        [q k v] = x w_qkv:        dw_qkv = x^T [dq dk dv], dx = [dq dk dv] w_qkv^T
        """
        B, T, D = dy.shape
        x, qkv, weights = self.x, self.qkv, self.weights
        dqkv = self._scratch("dqkv", *qkv.shape)
        dweights = self._scratch("dweights", *weights.shape)
        dx = self._scratch("dx", B, T, D)
        q, k, v = self._heads(qkv)
        dq, dk, dv = self._heads(dqkv)
        dheads = self._split(dy)
        np.matmul(dheads, v.swapaxes(-1, -2), out=dweights)
        np.matmul(weights.swapaxes(-1, -2), dheads, out=dv)
        dscores = softmax_backward_(weights, dweights)
        dscores *= self.scale
        np.matmul(dscores, k, out=dq)
        np.matmul(dscores.swapaxes(-1, -2), q, out=dk)
        flat = dqkv.reshape(B * T, -1)
        np.dot(x.reshape(B * T, D).T, flat, out=self.dw_qkv)
        np.dot(flat, self.w_qkv.T, out=dx.reshape(B * T, D))
        return dx

    def _heads(self, qkv: Floats) -> tuple[Floats, Floats, Floats]:
        """Views of q, k and v, each of shape (B, H, T, E), into (B, T, 3 H E)."""
        B, T, _ = qkv.shape
        q, k, v = qkv.reshape(B, T, 3, self.n_heads, self.head_dim).transpose(2, 0, 3, 1, 4)
        return q, k, v

    def _split(self, joined: Floats) -> Floats:
        """View of shape (B, H, T, E) into (B, T, H E)."""
        B, T, _ = joined.shape
        return joined.reshape(B, T, self.n_heads, self.head_dim).swapaxes(1, 2)
