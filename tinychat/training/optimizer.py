"""Clipping by the global norm, and Adam (Kingma & Ba 2015, algorithm 1), on the flat parameter vector."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters

_BLOCK = 1 << 18
"""Elements that one thread updates at a time: few enough to stay in the cache from one operation to the
next, enough that the threads seldom wait for the interpreter."""
_THREADS = 2


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
    Blocks are updated in two threads; no element depends on another, so that changes no bit.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.m = np.zeros_like(parameters.values)
        self.v = np.zeros_like(parameters.values)
        self.updates = 0
        self._update = np.empty_like(parameters.values)
        size = parameters.values.size
        n_blocks = -(-size // _BLOCK)
        bounds = [size * index // n_blocks for index in range(n_blocks + 1)]
        self._blocks = [slice(*pair) for pair in pairwise(bounds)]
        self._threads = ThreadPoolExecutor(_THREADS - 1) if n_blocks > 1 else None

    def step(self, config: TrainConfig) -> None:
        """Update the values from the gradients, and set the gradients to 0 for the next update."""
        self.updates += 1
        mine = self._blocks[::_THREADS]
        handed = [
            self._threads.submit(self._step_block, block, config)
            for first in range(1, _THREADS)
            for block in self._blocks[first::_THREADS]
            if self._threads is not None
        ]
        for block in mine:
            self._step_block(block, config)
        for future in handed:
            future.result()

    def _step_block(self, block: slice, config: TrainConfig) -> None:
        """p -= lr * m_hat / (sqrt(v_hat) + eps), with m_hat = c1 * m and v_hat = c2 * v."""
        p, g = self.parameters.values[block], self.parameters.grads[block]
        m, v, update = self.m[block], self.v[block], self._update[block]
        c1 = (1 - config.beta1) / (1 - config.beta1**self.updates)
        c2 = (1 - config.beta2) / (1 - config.beta2**self.updates)
        m *= config.beta1
        m += g
        g *= g
        v *= config.beta2
        v += g
        g.fill(0)
        np.sqrt(v, out=update)
        update += config.eps * c2**-0.5
        np.divide(m, update, out=update)
        update *= config.lr * c1 * c2**-0.5
        p -= update
