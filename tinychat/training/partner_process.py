"""The process of a Partner, which starts it with `main`.

On standard input comes a pickled Setting; the end of the input ends the process. Jobs come through the
mailbox.
"""

import os
import pickle
import shutil
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
from tinychat.training.sgd import Sgd

BEGIN, PRODUCTS, STEP = range(3)
"""Jobs. BEGIN: nothing, but to be there. PRODUCTS, number of a linear layer and of rows of its operands:
the gradients by its weights. STEP, updates with this one: our half."""
BLOCKWISE: dict[str, type[Adam] | type[Sgd]] = {cls.kind: cls for cls in (Adam, AdamW, Sgd)}
"""Optimisers that go through the vectors block by block, so that two can share the work."""


@dataclass(frozen=True)
class Setting:
    """Which model and recipe, and where the desk is."""

    model: ModelConfig
    config: TrainConfig
    path: Path
    dtype: str


def work(setting: Setting) -> None:
    """Job by job, for ever."""
    desk = Desk(setting.path, setting.model, setting.dtype)
    parameters = desk.transformer.parameters
    _, ours = halves(parameters.values.size)
    optimizer = BLOCKWISE.get(setting.config.optimizer, Sgd)(parameters)  # of others no STEP is posted
    optimizer.state = desk.state_of(optimizer)
    while True:
        kind, *details = desk.mailbox.take()
        if kind == PRODUCTS:
            number, n_rows = details
            desk.linears[number].compute(*desk.operands(number, n_rows))
        elif kind == STEP:
            optimizer.updates = details[0]
            optimizer.step_blocks(ours, setting.config, float(desk.numbers[0]))
        desk.mailbox.finish()


def _end_with(messages: BinaryIO, setting: Setting) -> None:
    """As soon as nobody is there who could send something, or clean up."""
    messages.read()
    shutil.rmtree(setting.path.parent, ignore_errors=True)
    os._exit(0)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for Windows, where a session of its own does not help
    setting: Setting = pickle.load(sys.stdin.buffer)
    Thread(target=_end_with, args=(sys.stdin.buffer, setting), daemon=True).start()
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"):  # what overflows is told by the trainer
        work(setting)
