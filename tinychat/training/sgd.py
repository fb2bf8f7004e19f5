"""Stochastic gradient descent with Nesterov's momentum (Sutskever et al. 2013, section 2)."""

from typing import ClassVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.training.blocks import Block
from tinychat.training.blockwise import Blockwise


class Sgd(Blockwise):
    """The discounted sum `m` of the gradients, ndarray of shape (P,), and the number of updates so far.

    Nesterov's rather than the plain momentum: it looks one step further along m, so it swings less where the
    two disagree, at the price of one more pass. With momentum 0 both are plain descent.
    """

    kind: ClassVar[str] = "sgd"
    state_names: ClassVar[tuple[str, ...]] = ("m",)

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
