"""Position-wise feed-forward (Vaswani et al. 2017, section 3.3), plain or gated (Shazeer 2020)."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.activation import ACTIVATIONS
from tinychat.core.dropout import Draws, Dropout
from tinychat.core.linear import LinearGradients
from tinychat.core.parameters import Floats, ParameterScope, ParameterSpec, he
from tinychat.core.scratch import Scratch


class FeedForward:
    """The same two-layer perceptron at every place.

    plain:  y = act(x w_up + b_up) w_down + b_down
    gated:  y = (act(x w_gate + b_gate) * (x w_up + b_up)) w_down + b_down, w_gate and w_up side by side in
            one matrix, so that one product makes both
    """

    def __init__(self, scope: ParameterScope, config: ModelConfig, draws: Draws) -> None:
        self.is_gated = config.gated
        up = "gate_up" if config.gated else "up"
        self.w_up, (self.b_up, _) = scope[f"w_{up}"], scope.optional(f"b_{up}")  # (D, F), gated: (D, 2 F)
        self.w_down, (self.b_down, _) = scope["w_down"], scope.optional("b_down")  # (F, D)
        self.up_gradients = LinearGradients(scope, f"w_{up}", f"b_{up}")
        self.down_gradients = LinearGradients(scope, "w_down", "b_down")
        dtype = self.w_up.dtype
        self.activation = ACTIVATIONS[config.activation](dtype)
        self.dropout = Dropout(config.dropout, draws, dtype)
        self._scratch = Scratch(dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str) -> list[ParameterSpec]:
        D, F = config.d_model, config.d_ff
        up, width = ("gate_up", 2 * F) if config.gated else ("up", F)
        specs = [ParameterSpec(f"{prefix}.w_{up}", (D, width), std=he(D))]
        if config.bias:
            specs.append(ParameterSpec(f"{prefix}.b_{up}", (width,)))
        specs.append(ParameterSpec(f"{prefix}.w_down", (F, D), std=he(F)))
        if config.bias:
            specs.append(ParameterSpec(f"{prefix}.b_down", (D,)))
        return specs

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to y of shape (B, T, D)."""
        self.x = x.reshape(-1, x.shape[-1])
        a = self._scratch("a", len(self.x), self.w_up.shape[1])
        y = self._scratch("y", *x.shape)
        np.dot(self.x, self.w_up, out=a)
        if self.b_up is not None:
            a += self.b_up
        self.h = self._bend(a)
        np.dot(self.h, self.w_down, out=y.reshape(self.x.shape))
        if self.b_down is not None:
            y += self.b_down
        return self.dropout.forward(y)

    def _bend(self, a: Floats) -> Floats:
        """h = act(a), or gated: h = act(a_gate) * a_up, the halves of a."""
        if not self.is_gated:
            return self.activation.forward(a)
        F = a.shape[1] // 2
        self.gate, self.up = self.activation.forward(a[:, :F]), a[:, F:]
        return np.multiply(self.gate, self.up, out=self._scratch("h", *self.up.shape))

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (B, T, D) to dx of shape (B, T, D).

        y = h w_down + b_down:        dw_down = h^T dy, db_down = sum dy, dh = dy w_down^T
        h = act(a):                   da by the activation
        h = act(a_gate) * a_up:       da_gate by the activation from dh * a_up; da_up = dh * act(a_gate)
        a = x w_up + b_up:            dw_up = x^T da, db_up = sum da, dx = da w_up^T
        """
        dy = self.dropout.backward(dy)
        x, h = self.x, self.h
        flat = dy.reshape(x.shape)
        dh = self._scratch("dh", *h.shape)
        dx = self._scratch("dx", *dy.shape)
        self.down_gradients(h, flat)
        np.dot(flat, self.w_down.T, out=dh)
        da = self._bend_backward(dh)
        self.up_gradients(x, da)
        np.dot(da, self.w_up.T, out=dx.reshape(x.shape))
        return dx

    def _bend_backward(self, dh: Floats) -> Floats:
        if not self.is_gated:
            return self.activation.backward(dh)
        F = dh.shape[1]
        da = self._scratch("da", len(dh), 2 * F)
        np.multiply(dh, self.gate, out=da[:, F:])
        dh *= self.up
        da[:, :F] = self.activation.backward(dh)
        return da
