"""Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2)."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters, ParameterSpec
from tinychat.training.blocks import Block, blocks, longest
from tinychat.training.helper import Helper


class Adam:
    """Moments `m` and `v`, each ndarray of shape (P,), and the number of updates so far.

    They are plain discounted sums, m = g + beta1 m and v = g^2 + beta2 v: the paper's moments divided by
    (1 - beta), which saves two passes over memory; the constants go into the step size and eps.
    """

    kind: ClassVar[str] = "adam"
    state_names: ClassVar[tuple[str, ...]] = ("m", "v")

    def __init__(
        self, parameters: Parameters, chosen: Callable[[ParameterSpec], bool] = lambda _: True
    ) -> None:
        """For the parameters that `chosen` says yes to; the others stay as they are."""
        self.parameters = parameters
        self.updates = 0
        self.state: dict[str, Floats] = {name: np.zeros_like(parameters.values) for name in self.state_names}
        self._blocks = blocks(parameters, chosen)
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
