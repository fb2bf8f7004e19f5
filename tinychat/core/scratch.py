"""Work arrays that a layer owns, so that training allocates no large array once every shape was seen."""

from math import prod

import numpy as np
from numpy.typing import DTypeLike

from tinychat.core.parameters import Floats


class Scratch:
    """Hands out named work arrays with undefined contents; the same memory for every shape of a name.

    Memory grows to the largest shape asked for and is then reused: short and long rows share it,
    so that it stays in the processor's cache.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._memory: dict[str, Floats] = {}
        self._views: dict[tuple[object, ...], Floats] = {}
        self._ones = np.ones(0, self._dtype)

    def __call__(self, name: str, *shape: int) -> Floats:
        """C-contiguous ndarray of the given shape, valid until the same name is asked for again."""
        key = (name, *shape)
        view = self._views.get(key)
        if view is None:
            size = prod(shape)
            memory = self._memory.get(name)
            if memory is None or memory.size < size:
                memory = self._memory[name] = np.empty(size, self._dtype)
                self._views = {k: v for k, v in self._views.items() if k[0] != name}
            view = self._views[key] = memory[:size].reshape(shape)
        return view

    def ones(self, n: int) -> Floats:
        """Vector of n ones, to be read only: `ones @ x` sums over rows."""
        if self._ones.size < n:
            self._ones = np.ones(n, self._dtype)
        return self._ones[:n]
