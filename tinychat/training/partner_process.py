"""The process of a Partner: its PartnerLink starts it, with `main`.

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
from tinychat.training.blockwise import Blockwise
from tinychat.training.desk import Desk
from tinychat.training.optimizer import sum_of_squares
from tinychat.training.sgd import Sgd

BEGIN, PRODUCTS, SQUARES, STEP = range(4)
"""Jobs. BEGIN: nothing, but to be there. PRODUCTS, number of a linear layer and of rows of its operands: the
gradients by its weights. SQUARES: their sum over our half of all gradients, which goes to the first of the
desk's numbers. STEP, updates with this one, first block and the one after the last: those blocks, at the
learning rate and with the scale that are the desk's numbers."""
BLOCKWISE: dict[str, type[Blockwise]] = {cls.kind: cls for cls in (Adam, AdamW, Sgd)}


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
    our_grads = parameters.grads[halves(parameters.grads.size)[1]]
    optimizer = BLOCKWISE.get(setting.config.optimizer, Sgd)(parameters)  # of others no STEP is posted
    optimizer.state = desk.state_of(optimizer)
    while True:
        kind, *details = desk.mailbox.take()
        if kind == PRODUCTS:
            number, n_rows, _ = details
            desk.linears[number].compute(*desk.operands(number, n_rows))
        elif kind == SQUARES:
            desk.numbers[0] = sum_of_squares(our_grads)
        elif kind == STEP:
            optimizer.updates, first, end = details
            lr, scale = desk.numbers.tolist()
            optimizer.step_blocks(optimizer.blocks[first:end], setting.config, lr, scale)
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
