"""Optimisers that go through the vectors block by block, so that two processes can share the work."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters, ParameterSpec
from tinychat.training.blocks import Block, blocks, longest
from tinychat.training.helper import Helper


class Blockwise(ABC):
    """A state of some vectors of shape (P,), and the number of updates so far."""

    kind: ClassVar[str]
    state_names: ClassVar[tuple[str, ...]]

    def __init__(
        self, parameters: Parameters, chosen: Callable[[ParameterSpec], bool] = lambda _: True
    ) -> None:
        """For the parameters that `chosen` says yes to; the others stay as they are."""
        self.parameters = parameters
        self.updates = 0
        self.state: dict[str, Floats] = {name: np.zeros_like(parameters.values) for name in self.state_names}
        self.blocks = blocks(parameters, chosen)
        self._update = np.empty(longest(self.blocks), parameters.values.dtype)

    def step(self, config: TrainConfig, lr: float, helpers: Sequence[Helper] = ()) -> None:
        """Update the values from the gradients, which are spent: they hold something else afterwards.

        Helpers have nothing to do here: to send them the vectors takes longer than the step.
        """
        self.updates += 1
        self.step_blocks(self.blocks, config, lr)

    def step_blocks(
        self, chosen: Iterable[Block], config: TrainConfig, lr: float, scale: float = 1.0
    ) -> None:
        """What `step` does, for some of the blocks, with `scale` times their gradients.

        The update is counted by whoever divides it.
        """
        for block in chosen:
            if scale != 1:
                self.parameters.grads[block.place] *= scale
            self._step_block(block, config, lr)

    @abstractmethod
    def _step_block(self, block: Block, config: TrainConfig, lr: float) -> None:
        """Update the values of a block from its gradients, which are spent; `updates` has this one."""
