"""Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2)."""

from typing import ClassVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.training.blocks import Block
from tinychat.training.blockwise import Blockwise


class Adam(Blockwise):
    """Moments `m` and `v`, each ndarray of shape (P,), and the number of updates so far.

    They are plain discounted sums, m = g + beta1 m and v = g^2 + beta2 v: the paper's moments divided by
    (1 - beta), which saves two passes over memory; the constants go into the step size and eps.
    """

    kind: ClassVar[str] = "adam"
    state_names: ClassVar[tuple[str, ...]] = ("m", "v")

    def _step_block(self, block: Block, config: TrainConfig, lr: float) -> None:
        """p -= lr * m_hat / (sqrt(v_hat) + eps), with m_hat = c1 * m and v_hat = c2 * v."""
        place = block.place
        p, g = self.parameters.values[place], self.parameters.grads[place]
        m, v = self.state["m"][place], self.state["v"][place]
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
        update *= lr * c1 * c2**-0.5
        p -= update


class AdamW(Adam):
    """Adam, and apart from its gradient every matrix loses the share lr * weight_decay at each update.

    That share is PyTorch's; the paper's follows the schedule, but not the height of the learning rate.
    """

    kind: ClassVar[str] = "adamw"

    def _step_block(self, block: Block, config: TrainConfig, lr: float) -> None:
        block.decay(lr * config.weight_decay)
        super()._step_block(block, config, lr)
