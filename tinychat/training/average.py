"""Exponential moving average of the weights (Polyak & Juditsky 1992; Tarvainen & Valpola 2017)."""

import numpy as np

from tinychat.core.parameters import Floats
from tinychat.training.blocks import pieces

SLOWNESS = 9
"""A young average reaches back over about one in SLOWNESS of the updates so far."""


class WeightAverage:
    """The average `ema`, ndarray of shape (P,), and the number of updates so far.

    After n updates the next one decays by min(decay, n / (n + SLOWNESS)): the first copies the weights, so it
    does not matter what is in `ema` before, and the bad weights of the start are soon forgotten. That is the
    rule of TensorFlow's ExponentialMovingAverage with num_updates, (1 + n) / (10 + n), one update later.
    """

    def __init__(self, ema: Floats, updates: int = 0) -> None:
        """Average in place. Given what was saved, the vector and its `updates`, go on to the same bits."""
        self.ema = ema
        self.updates = updates
        self._pieces = pieces(0, ema.size)
        self._share = np.empty(max((p.stop - p.start for p in self._pieces), default=0), ema.dtype)

    def update(self, values: Floats, decay: float) -> None:
        """ema = decay * ema + (1 - decay) * values, of shape (P,); `decay` is the one of an old average."""
        decay = min(decay, self.updates / (self.updates + SLOWNESS))
        self.updates += 1
        for piece in self._pieces:
            ema, share = self.ema[piece], self._share[: piece.stop - piece.start]
            np.multiply(values[piece], 1 - decay, out=share)
            ema *= decay
            ema += share
