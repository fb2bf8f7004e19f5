"""The process of a Partner, which starts it with `main`.

On standard input comes a pickled Opening; the end of the input ends the process. Jobs come through the
mailbox.
"""

import os
import pickle
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import BinaryIO

import numpy as np
from threadpoolctl import threadpool_limits

from tinychat.config import ModelConfig, TrainConfig
from tinychat.training.adam import Adam, AdamW
from tinychat.training.blocks import halves
from tinychat.training.desk import Desk
from tinychat.training.optimizer import sum_of_squares
from tinychat.training.sgd import Sgd

BEGIN, PRODUCTS, SQUARES, STEP = range(4)
"""Jobs. BEGIN: nothing, but to be there. PRODUCTS, number of a linear layer, rows and place of its operands:
the gradients by its weights. SQUARES: of our half of the gradients. STEP, updates with this one: our half."""
BLOCKWISE: dict[str, type[Adam] | type[Sgd]] = {cls.kind: cls for cls in (Adam, AdamW, Sgd)}
"""Optimisers that go through the vectors block by block, so that two can share the work."""


@dataclass(frozen=True)
class Opening:
    """Which model and recipe, and where the desk is."""

    model: ModelConfig
    config: TrainConfig
    path: Path
    dtype: str


def work(opening: Opening) -> None:
    """Job by job, for ever."""
    desk = Desk(opening.path, opening.model, opening.dtype)
    parameters = desk.transformer.parameters
    _, ours = halves(parameters.values.size)
    optimizer = BLOCKWISE.get(opening.config.optimizer, Sgd)(parameters)
    optimizer.state = desk.state_of(optimizer)
    while True:
        kind, *details = desk.mailbox.take()
        if kind == PRODUCTS:
            number, n_rows, start = details
            desk.linears[number].compute(*desk.operands(number, n_rows, start))
        elif kind == SQUARES:
            desk.numbers[0] = sum_of_squares(parameters.grads, ours)
        elif kind == STEP:
            optimizer.updates = details[0]
            optimizer.step_blocks(ours, opening.config, float(desk.numbers[1]))
        desk.mailbox.finish()


def _end_with(messages: BinaryIO) -> None:
    """As soon as nobody is there who could send something."""
    messages.read()
    os._exit(0)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for Windows, where a session of its own does not help
    opening: Opening = pickle.load(sys.stdin.buffer)
    Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"):  # what overflows is told by the trainer
        work(opening)
