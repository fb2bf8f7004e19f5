"""Norm and feed-forward once more, for decoding: few calls, and nothing kept for a backward.

A model that reads one token at a time is slow by the number of NumPy calls, not by its arithmetic. Each form
is made from the layer that it stands for, works on the same weights, and writes to no array of that layer.
It takes the vectors of many places, or of one alone, which needs the fewest calls.
"""

import math

import numpy as np

from tinychat.core.feed_forward import FeedForward
from tinychat.core.norm import LayerNorm, RMSNorm
from tinychat.core.parameters import Floats


class DecodingNorm:
    """As LayerNorm or RMSNorm, without a backward, and in place."""

    def __init__(self, norm: LayerNorm | RMSNorm) -> None:
        self.gain, self.bias = norm.gain, None  # (D,)
        if isinstance(norm, LayerNorm):
            self.bias = norm.bias
        self.is_centred = isinstance(norm, LayerNorm)
        self.eps = norm.eps
        D, dtype = norm.gain.size, norm.gain.dtype
        self._average = np.full(D, 1 / D, dtype)
        # NumPy multiplies by an array without axes in half the time that it takes for a Python number.
        self._mean, self._rstd = np.empty((), dtype), np.empty((), dtype)

    def __call__(self, x: Floats) -> Floats:
        """Make x of shape (..., D) y of that shape, in place."""
        if x.ndim == 1:
            if self.is_centred:
                x -= x.dot(self._average, self._mean)
            self._rstd[()] = 1 / math.sqrt(x.dot(x) / x.size + self.eps)
            x *= self._rstd
        else:
            average = self._average[:, None]
            if self.is_centred:
                x -= x.dot(average)
            square = (x * x).dot(average)  # (..., 1)
            square += self.eps
            x /= np.sqrt(square)
        x *= self.gain
        if self.bias is not None:
            x += self.bias
        return x


class DecodingFeedForward:
    """As FeedForward, without a backward."""

    def __init__(self, layer: FeedForward) -> None:
        self.w_up, self.b_up, self.w_down, self.b_down = layer.w_up, layer.b_up, layer.w_down, layer.b_down
        self.is_gated = layer.is_gated
        self._bend = type(layer.activation)(layer.w_up.dtype).forward  # with work arrays of its own

    def __call__(self, x: Floats) -> Floats:
        """Map x of shape (N, D) or (D,) to y of that shape."""
        a = x.dot(self.w_up)
        if self.b_up is not None:
            a += self.b_up
        if self.is_gated:
            F = a.shape[-1] // 2
            h = self._bend(a[..., :F])
            h *= a[..., F:]
        else:
            h = self._bend(a)
        y: Floats = h.dot(self.w_down)
        if self.b_down is not None:
            y += self.b_down
        return y
