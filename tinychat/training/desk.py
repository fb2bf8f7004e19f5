"""The memory on which a process and its partner work together."""

from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.training.mailbox import N_BYTES, Mailbox
from tinychat.training.optimizer import Optimizer

N_STATES = 2
"""Vectors of an optimiser's state that there is room for."""
N_NUMBERS = 2


class Desk:
    """A model, an optimiser's state, a mailbox and room for operands, in a file that both have mapped."""

    def __init__(self, path: Path, config: ModelConfig, dtype: DTypeLike, is_new: bool = False) -> None:
        """With `is_new`, make the file. Raise OSError if there is no room for it."""
        n = sum(spec.size for spec in Transformer.specs(config))
        width = sum(sum(spec.shape) for spec in Transformer.specs(config) if len(spec.shape) == 2)
        item = np.dtype(dtype).itemsize
        sizes = [N_BYTES, 8 * N_NUMBERS, *[n * item] * (2 + N_STATES), width * config.max_seq_len * item]
        starts = np.cumsum([0] + [-(-size // 64) * 64 for size in sizes]).tolist()
        if is_new:
            path.write_bytes(bytes(starts[-1]))  # a file with holes would fail later, when it is written to
        memory = np.asarray(np.memmap(path, np.uint8, "r+", shape=(starts[-1],)))
        letters, numbers, values, grads, *rest = (
            memory[start : start + size] for start, size in zip(starts[:-1], sizes, strict=True)
        )
        self.mailbox = Mailbox(letters.data)
        self.numbers = numbers.view(np.float64)
        self.transformer = Transformer(config, dtype, values.view(dtype), grads.view(dtype))
        self._states: list[Floats] = [state.view(dtype) for state in rest[:N_STATES]]
        self._operands: Floats = rest[-1].view(dtype)
        self._views: dict[tuple[int, int, int], tuple[Floats, Floats]] = {}
        self.linears = self.transformer.parameters.linears

    def state_of(self, optimizer: Optimizer) -> dict[str, Floats]:
        """Vectors for an optimiser's state, by its names for them."""
        return dict(zip(optimizer.state_names, self._states, strict=False))

    def operands(self, number: int, n_rows: int, start: int) -> tuple[Floats, Floats]:
        """Places of x, of shape (N, in), and dy, (N, out), for that one of the linears, from there on."""
        key = number, n_rows, start
        if key not in self._views:
            n_in, n_out = self.linears[number].dw.shape
            middle, end = start + n_rows * n_in, start + n_rows * (n_in + n_out)
            x, dy = self._operands[start:middle], self._operands[middle:end]
            self._views[key] = x.reshape(n_rows, n_in), dy.reshape(n_rows, n_out)
        return self._views[key]
