"""The memory on which a process and its partner work together."""

from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, ParameterSpec
from tinychat.training.mailbox import N_BYTES, Mailbox
from tinychat.training.optimizer import Optimizer

N_STATES = 2
"""Vectors of an optimiser's state that there is room for."""
N_NUMBERS = 2
"""That go with a job, or come back."""


class Desk:
    """A model, an optimiser's state, a mailbox and room for operands, in a file that both have mapped."""

    def __init__(self, path: Path, config: ModelConfig, dtype: DTypeLike, is_new: bool = False) -> None:
        """With `is_new`, make the file. Raise OSError if there is no room for it."""
        specs = Transformer.specs(config)
        n, item = sum(spec.size for spec in specs), np.dtype(dtype).itemsize
        widths = [sum(spec.shape) for spec in specs if len(spec.shape) == 2 and not _is_table(spec)]
        room = sum(widths) * config.max_seq_len
        sizes = [N_BYTES, 8 * N_NUMBERS, *[n * item] * (2 + N_STATES), room * item]
        starts = [0, *accumulate(-(-size // 64) * 64 for size in sizes)]
        if is_new:
            with path.open("wb") as file:  # with holes it would fail later, when it is written to
                for start, end in pairwise(starts):
                    file.write(bytes(end - start))
        memory = np.asarray(np.memmap(path, np.uint8, "r+", shape=(starts[-1],)))
        letters, numbers, values, grads, *rest = (
            memory[start : start + size] for start, size in zip(starts[:-1], sizes, strict=True)
        )
        self.mailbox = Mailbox(letters.data)
        self.numbers = numbers.view(np.float64)
        self.transformer = Transformer(config, dtype, values.view(dtype), grads.view(dtype))
        self._states: list[Floats] = [state.view(dtype) for state in rest[:N_STATES]]
        self.linears = self.transformer.parameters.linears
        ends = accumulate(sum(linear.dw.shape) * config.max_seq_len for linear in self.linears)
        self._room = [rest[-1].view(dtype)[start:end] for start, end in pairwise([0, *ends])]
        self._views: dict[tuple[int, int], tuple[Floats, Floats]] = {}

    def state_of(self, optimizer: Optimizer) -> dict[str, Floats]:
        """Vectors for an optimiser's state, by its names for them."""
        return dict(zip(optimizer.state_names, self._states, strict=False))

    def operands(self, number: int, n_rows: int) -> tuple[Floats, Floats]:
        """Places of x, of shape (N, in), and dy, of shape (N, out), for that one of the linears."""
        key = number, n_rows
        if key not in self._views:
            n_in, n_out = self.linears[number].dw.shape
            x, dy = np.split(self._room[number][: n_rows * (n_in + n_out)], [n_rows * n_in])
            self._views[key] = x.reshape(n_rows, n_in), dy.reshape(n_rows, n_out)
        return self._views[key]


def _is_table(spec: ParameterSpec) -> bool:
    """Whether rows of it are looked up; all other matrices are those of linears."""
    return spec.name.startswith("embedding.")
