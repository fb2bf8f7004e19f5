"""Rotary positions (Su et al. 2021): queries and keys are turned by angles that grow with their place.

The scalar product of a query and a key then depends on how far apart they stand, not on where. Pairs are
made as Llama's and Gemma's checkpoints have them: number i turns with number i + E/2.
"""

import numpy as np
from numpy.typing import DTypeLike

from tinychat.core.parameters import Floats
from tinychat.core.scratch import Scratch


class Rotary:
    """y1 = x1 cos - x2 sin, y2 = x2 cos + x1 sin, for the halves x1 and x2 of every head.

    The angle of pair i at place t is t * theta^(-2 i / E).
    """

    def __init__(self, max_seq_len: int, head_dim: int, theta: float, dtype: DTypeLike) -> None:
        turn = theta ** (-np.arange(0, head_dim, 2) / head_dim)  # (E/2,), radians a place
        angles = np.arange(max_seq_len)[:, None] * turn
        cos, sin = np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)
        self.cos = np.stack([cos, cos], axis=1)  # (max_seq_len, 2, E/2), and so is the next
        self.sin = np.stack([-sin, sin], axis=1)
        self._scratch = Scratch(dtype)

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, n, T, E), n heads, to y of that shape."""
        return self._turn(x, self.sin, self._scratch("y", *x.shape))

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (B, n, T, E) to dx of that shape: a rotation's transpose turns it back."""
        return self._turn(dy, -self.sin, self._scratch("dx", *dy.shape))

    def _turn(self, x: Floats, sin: Floats, y: Floats) -> Floats:
        """Both halves at once: y = [x1 x2] [cos cos] + [x2 x1] [-sin sin]."""
        B, n, T, E = x.shape
        halves = x.reshape(B, n, T, 2, E // 2)
        turned = y.reshape(halves.shape)
        product = self._scratch("product", *halves.shape)
        np.multiply(halves, self.cos[:T], out=turned)
        turned += np.multiply(halves[..., ::-1, :], sin[:T], out=product)
        return y
