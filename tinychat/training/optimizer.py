"""Clipping by the global norm, and Adam (Kingma & Ba 2015, algorithm 1), on the flat parameter vector."""

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters

_BLOCK = 1 << 16
"""Elements that are updated at a time, so that they are still in the cache at the next operation."""


def clip_by_global_norm_(grads: Floats, max_norm: float) -> float:
    """Scale `grads` of shape (P,) down to L2 norm `max_norm` if it is longer; return the norm before.

    Pascanu et al. 2013, algorithm 1.
    """
    norm = float(np.sqrt(np.dot(grads, grads)))
    if norm > max_norm:
        grads *= max_norm / norm
    return norm


class Adam:
    """Moments `m` and `v`, each ndarray of shape (P,), and the number of updates so far.

    They are plain discounted sums, m = g + beta1 m and v = g^2 + beta2 v: the paper's moments divided by
    (1 - beta), which saves two passes over memory; the constants go into the step size and eps.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.m = np.zeros_like(parameters.values)
        self.v = np.zeros_like(parameters.values)
        self.updates = 0
        self._update = np.empty(min(_BLOCK, parameters.values.size), parameters.values.dtype)

    def step(self, config: TrainConfig) -> None:
        """Update the values from the gradients, which are spent: they hold something else afterwards."""
        self.updates += 1
        for start in range(0, self.m.size, _BLOCK):
            self._step_block(slice(start, start + _BLOCK), config)

    def _step_block(self, block: slice, config: TrainConfig) -> None:
        """p -= lr * m_hat / (sqrt(v_hat) + eps), with m_hat = c1 * m and v_hat = c2 * v."""
        p, g = self.parameters.values[block], self.parameters.grads[block]
        m, v = self.m[block], self.v[block]
        update = self._update[: p.size]
        c1 = (1 - config.beta1) / (1 - config.beta1**self.updates)
        c2 = (1 - config.beta2) / (1 - config.beta2**self.updates)
        m *= config.beta1
        m += g
        np.multiply(g, g, out=g)
        v *= config.beta2
        v += g
        np.sqrt(v, out=update)
        update += config.eps * c2**-0.5
        np.divide(m, update, out=update)
        update *= config.lr * c1 * c2**-0.5
        p -= update
