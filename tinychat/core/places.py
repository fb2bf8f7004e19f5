"""Only the places that count in the loss go on to the projection onto the vocabulary."""

import numpy as np

from tinychat.core.parameters import Floats, Ids
from tinychat.core.scratch import Scratch


class CountedPlaces:
    """Vectors (B, T, D) -> those N whose target is not IGNORE, as (1, N, D); the rest gets no gradient.

    Where most of a row is a masked prompt or padding, most of the widest product is saved.
    """

    FEW = 3
    """So many that do not count cost less than to pick those that do."""

    def __init__(self, dtype: np.dtype[np.floating]) -> None:
        self._scratch = Scratch(dtype)

    def forward(self, x: Floats, targets: Ids, n_idle: int = 0) -> tuple[Floats, Ids]:
        """Map x of shape (B, T, D) and targets of shape (B, T) to those that count, (1, N, D) and (1, N).

        With `n_idle`, up to so many that do not count may be among them.
        """
        B, T, D = self.shape = x.shape
        flat = targets.reshape(B * T)
        self.places = np.flatnonzero(flat >= 0)  # IGNORE is negative
        N = len(self.places)
        self.is_all = flat.size - N <= n_idle
        if self.is_all:
            return x.reshape(1, B * T, D), flat[None]
        chosen = self._scratch("chosen", N, D)
        np.take(x.reshape(B * T, D), self.places, axis=0, out=chosen, mode="clip")
        return chosen[None], flat[self.places][None]

    def backward(self, dchosen: Floats) -> Floats:
        """Map the gradient of shape (1, N, D) to dx of shape (B, T, D), 0 at places that do not count."""
        if self.is_all:
            return dchosen.reshape(self.shape)
        dx = self._scratch("dx", *self.shape)
        dx.fill(0)
        dx.reshape(-1, self.shape[-1])[self.places] = dchosen[0]
        return dx
