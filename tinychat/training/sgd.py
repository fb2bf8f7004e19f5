"""Stochastic gradient descent with Nesterov's momentum (Sutskever et al. 2013, section 2)."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters
from tinychat.training.blocks import Block, blocks, longest
from tinychat.training.helper import Helper


class Sgd:
    """The discounted sum `m` of the gradients, ndarray of shape (P,), and the number of updates so far.

    Nesterov's rather than the plain momentum: it looks one step further along m, so it swings less where the
    two disagree, at the price of one more pass. With momentum 0 both are plain descent.
    """

    kind: ClassVar[str] = "sgd"
    state_names: ClassVar[tuple[str, ...]] = ("m",)

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.updates = 0
        self.state: dict[str, Floats] = {name: np.zeros_like(parameters.values) for name in self.state_names}
        self._blocks = blocks(parameters)
        self._update = np.empty(longest(self._blocks), parameters.values.dtype)

    def step(self, config: TrainConfig, lr: float, helpers: Sequence[Helper] = ()) -> None:
        """Update the values from the gradients, which are spent: they hold something else afterwards."""
        self.updates += 1
        self.step_blocks(slice(None), config, lr)

    def step_blocks(self, chosen: slice, config: TrainConfig, lr: float) -> None:
        """What `step` does, for some of the blocks; the update is counted by whoever divides it."""
        for block in self._blocks[chosen]:
            self._step_block(block, config, lr)

    def _step_block(self, block: Block, config: TrainConfig, lr: float) -> None:
        """m = momentum * m + g; p -= lr * (g + momentum * m); matrices decay as they do in AdamW."""
        block.decay(lr * config.weight_decay)
        place = block.place
        p, g, m = self.parameters.values[place], self.parameters.grads[place], self.state["m"][place]
        update = self._update[: p.size]
        m *= config.momentum
        m += g
        np.multiply(m, config.momentum, out=update)
        update += g
        update *= lr
        p -= update
