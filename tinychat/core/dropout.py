"""Dropout (Srivastava et al. 2014): in training, a random part of the numbers is 0, the rest larger."""

import numpy as np
from numpy.typing import DTypeLike

from tinychat.core.parameters import Floats
from tinychat.core.scratch import Scratch


class Draws:
    """Where the random numbers of all dropout layers of a model come from; None outside training."""

    def __init__(self) -> None:
        self.rng: np.random.Generator | None = None


class Dropout:
    """y = x * mask; a mask entry is 0 with probability `rate`, else 1 / (1 - rate), so its mean is 1."""

    def __init__(self, rate: float, draws: Draws, dtype: DTypeLike) -> None:
        self.rate = rate
        self._draws = draws
        self._scratch = Scratch(dtype)
        self.mask: Floats | None = None

    def forward(self, x: Floats) -> Floats:
        """Map x of any shape to y of that shape; outside training y is x itself."""
        self.mask = None
        if self.rate == 0 or self._draws.rng is None:
            return x
        mask = self._scratch("mask", *x.shape)
        self._draws.rng.random(dtype=mask.dtype.type, out=mask)
        np.greater_equal(mask, self.rate, out=mask)
        mask *= 1 / (1 - self.rate)
        self.mask = mask
        return np.multiply(x, mask, out=self._scratch("y", *x.shape))

    def backward(self, dy: Floats) -> Floats:
        """Map dy to dx of the same shape, dx = dy * mask; where y was x itself, dx is dy itself."""
        if self.mask is None:
            return dy
        return np.multiply(dy, self.mask, out=self._scratch("dx", *dy.shape))
