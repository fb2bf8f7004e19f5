"""The gradients by the weights of y = x w + b."""

from collections.abc import Callable

import numpy as np

from tinychat.core.parameters import Floats, ParameterScope
from tinychat.core.scratch import Scratch


class LinearGradients:
    """From rows x of shape (N, in) and dy of shape (N, out):   dw = x^T dy, db = the sum of the rows of dy.

    The rest of the backward pass waits for dx = dy w^T, but not for these: `elsewhere`, if it is set, takes
    x and dy to have them computed meanwhile.
    """

    def __init__(self, scope: ParameterScope, w: str, b: str) -> None:
        """For the parameters of these names; the scope may have no b."""
        self.dw, (_, self.db) = scope.grad(w), scope.optional(b)
        self.elsewhere: Callable[[Floats, Floats], None] | None = None
        self._scratch = Scratch(self.dw.dtype)
        scope.linears.append(self)

    def __call__(self, x: Floats, dy: Floats) -> None:
        """Overwrite dw and db, at once or elsewhere."""
        if self.elsewhere is None:
            self.compute(x, dy)
        else:
            self.elsewhere(x, dy)

    def compute(self, x: Floats, dy: Floats) -> None:
        """Overwrite dw and db now."""
        np.dot(x.T, dy, out=self.dw)
        if self.db is not None:  # a sum as a product is several times faster than ndarray.sum
            np.dot(self._scratch.ones(len(dy)), dy, out=self.db)
