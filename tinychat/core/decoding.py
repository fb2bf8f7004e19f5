"""Norm and feed-forward once more, for decoding: few calls, and nothing kept for a backward.

A model that reads one token at a time is slow by the number of NumPy calls, not by its arithmetic. Each form
is made from the layer that it stands for, works on the same weights, and writes to no array of that layer.
"""

import math

import numpy as np

from tinychat.core.feed_forward import FeedForward
from tinychat.core.norm import LayerNorm, RMSNorm
from tinychat.core.parameters import Floats


class DecodingNorm:
    """As LayerNorm or RMSNorm, without a backward."""

    def __init__(self, norm: LayerNorm | RMSNorm) -> None:
        # As one row: NumPy adds a row to a row in half the time that it takes to add a vector to it.
        self.gain, self.bias = norm.gain[None], None  # (1, D)
        if isinstance(norm, LayerNorm) and norm.bias is not None:
            self.bias = norm.bias[None]
        self.is_centred = isinstance(norm, LayerNorm)
        self.eps = norm.eps
        self._average = np.full((norm.gain.size, 1), 1 / norm.gain.size, norm.gain.dtype)

    def __call__(self, x: Floats) -> Floats:
        """Map x of shape (..., D) to y of that shape."""
        if self.is_centred:
            x = x - x.dot(self._average)
        y: Floats
        if len(x) == 1 and x.ndim == 2:  # for a single row, numbers do what takes arrays twice as long
            y = x * (1 / math.sqrt(x.dot(x.T).item() / x.size + self.eps))
        else:
            square = (x * x).dot(self._average)  # (..., 1)
            square += self.eps
            y = x / np.sqrt(square)
        y *= self.gain
        if self.bias is not None:
            y += self.bias
        return y


class DecodingFeedForward:
    """As FeedForward, without a backward."""

    def __init__(self, layer: FeedForward) -> None:
        self.w_up, self.w_down, self.is_gated = layer.w_up, layer.w_down, layer.is_gated
        self.b_up = None if layer.b_up is None else layer.b_up[None]
        self.b_down = None if layer.b_down is None else layer.b_down[None]
        self._bend = type(layer.activation)(layer.w_up.dtype).forward  # with work arrays of its own

    def __call__(self, x: Floats) -> Floats:
        """Map x of shape (N, D) to y of that shape."""
        a = np.dot(x, self.w_up)
        if self.b_up is not None:
            a += self.b_up
        if self.is_gated:
            F = a.shape[1] // 2
            h = self._bend(a[:, :F])
            h *= a[:, F:]
        else:
            h = self._bend(a)
        y: Floats = np.dot(h, self.w_down)
        if self.b_down is not None:
            y += self.b_down
        return y
