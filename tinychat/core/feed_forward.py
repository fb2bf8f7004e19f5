"""Position-wise feed-forward (Vaswani et al. 2017, section 3.3): y = relu(x w_up + b_up) w_down + b_down."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.parameters import Floats, ParameterScope, ParameterSpec, he
from tinychat.core.scratch import Scratch


class FeedForward:
    """The same two-layer perceptron at every place."""

    def __init__(self, scope: ParameterScope) -> None:
        self.w_up, self.dw_up = scope["w_up"], scope.grad("w_up")  # (D, F)
        self.b_up, self.db_up = scope["b_up"], scope.grad("b_up")  # (F,)
        self.w_down, self.dw_down = scope["w_down"], scope.grad("w_down")  # (F, D)
        self.b_down, self.db_down = scope["b_down"], scope.grad("b_down")  # (D,)
        self._scratch = Scratch(self.w_up.dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str) -> list[ParameterSpec]:
        D, F = config.d_model, config.d_ff
        return [
            ParameterSpec(f"{prefix}.w_up", (D, F), std=he(D)),
            ParameterSpec(f"{prefix}.b_up", (F,)),
            ParameterSpec(f"{prefix}.w_down", (F, D), std=he(F)),
            ParameterSpec(f"{prefix}.b_down", (D,)),
        ]

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to y of shape (B, T, D)."""
        flat = x.reshape(-1, x.shape[-1])
        h = self._scratch("h", len(flat), len(self.b_up))
        y = self._scratch("y", *x.shape)
        np.dot(flat, self.w_up, out=h)
        h += self.b_up
        np.maximum(h, 0, out=h)
        np.dot(h, self.w_down, out=y.reshape(flat.shape))
        y += self.b_down
        self.x, self.h = flat, h
        return y

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (B, T, D) to dx of shape (B, T, D).

        y = h w_down + b_down:   dw_down = h^T dy, db_down = sum dy, dh = dy w_down^T
        h = relu(a):             da = dh where h > 0, else 0
        a = x w_up + b_up:       dw_up = x^T da, db_up = sum da, dx = da w_up^T
        """
        x, h = self.x, self.h
        flat = dy.reshape(x.shape)
        da = self._scratch("da", *h.shape)
        dx = self._scratch("dx", *dy.shape)
        ones = self._scratch.ones(len(x))  # a sum as a product is several times faster than ndarray.sum
        np.dot(h.T, flat, out=self.dw_down)
        np.dot(ones, flat, out=self.db_down)
        np.dot(flat, self.w_down.T, out=da)
        da *= h > 0
        np.dot(x.T, da, out=self.dw_up)
        np.dot(ones, da, out=self.db_up)
        np.dot(da, self.w_up.T, out=dx.reshape(x.shape))
        return dx
