"""A second process for recipes that learn from one example at a time, so that there is no batch to divide.

The chain of products through the layers is for one alone. What hangs off it goes to the partner: gradients by
the weights of linear layers, for which nobody waits before clipping, and a half of clipping's sum and of the
optimiser's step. All of it comes out the same to the bit as without a partner, so it may join at any update.
"""

import math
import os
import pickle
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Self, TypeGuard

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.errors import WorkerError
from tinychat.model import Model
from tinychat.training.adam import Adam
from tinychat.training.batches import to_batch
from tinychat.training.blocks import halves
from tinychat.training.desk import Desk
from tinychat.training.optimizer import Optimizer, clip_by_global_norm_, make_optimizer, sum_of_squares
from tinychat.training.partner_process import BEGIN, BLOCKWISE, PRODUCTS, SQUARES, STEP, Opening
from tinychat.training.rows import Row
from tinychat.training.sgd import Sgd
from tinychat.training.workers import start_process

START_AFTER_S = 0.3
"""A training that is over by then is not worth a process."""


class Partner:
    """What Workers are for batches. Within the `with` block the model has another transformer and optimiser,
    in memory that the partner shares; at its end what they learnt comes back to its own.
    """

    def __init__(self, model: Model, config: TrainConfig) -> None:
        """Raise OSError if there is no room in the folder for temporary files."""
        assert model.optimizer is not None
        self._model, self._own = model, model.transformer
        self._folder = TemporaryDirectory(prefix="tinychat-", ignore_cleanup_errors=True)
        path, dtype = Path(self._folder.name) / "desk", model.transformer.parameters.values.dtype.str
        self._opening = Opening(model.config, config, path, dtype)
        try:
            self._desk = Desk(path, model.config, dtype, is_new=True)
        except OSError:
            self._folder.cleanup()
            raise
        self.transformer = self._desk.transformer
        self.transformer.parameters.values[...] = self._own.parameters.values
        self.optimizer = self._moved(model.optimizer, self.transformer)
        if _is_blockwise(self.optimizer):
            for name, shared in self._desk.state_of(self.optimizer).items():
                shared[...] = self.optimizer.state[name]
                self.optimizer.state[name] = shared
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at = perf_counter() + START_AFTER_S
        self.is_here = False
        """Whether there is a process that takes part."""
        self._free = 0

    @staticmethod
    def _moved(optimizer: Optimizer, transformer: Transformer) -> Optimizer:
        """One with the same past for another transformer."""
        moved = make_optimizer(optimizer.kind, transformer.parameters)
        moved.updates = optimizer.updates
        for name, vector in optimizer.state.items():
            moved.state[name][...] = vector
        return moved

    def __enter__(self) -> Self:
        self._model.transformer, self._model.optimizer = self.transformer, self.optimizer
        return self

    def __exit__(self, *_: object) -> None:
        """Bring back what was learnt, and end the process."""
        with suppress(WorkerError):  # something else went wrong, and it may still be at work
            self._wait()
        self._own.parameters.values[...] = self.transformer.parameters.values
        self._model.transformer, self._model.optimizer = self._own, self._moved(self.optimizer, self._own)
        self._leave()
        self._folder.cleanup()

    def join(self) -> None:
        """Start the process at once, and wait until it takes part."""
        self._start()
        while self._process is not None and not self.is_here:
            sleep(0.01)
            self._look_out()

    def loss_and_gradients(self, rows: Sequence[Row], rngs: Sequence[np.random.Generator | None]) -> Loss:
        """As the Transformer's, of one row. Raise WorkerError if the partner is no longer there."""
        if self.is_here:
            self._free = 0
        else:
            self._look_out()
        with np.errstate(all="ignore"):  # what overflows is told by the trainer
            loss = self.transformer.loss_and_gradients(*to_batch(rows), rngs[0])
        self._wait()
        return loss

    def clip_(self, max_norm: float) -> float:
        """As `clip_by_global_norm_`."""
        grads = self.transformer.parameters.grads
        if not self.is_here:
            return clip_by_global_norm_(grads, max_norm)
        self._desk.mailbox.post(SQUARES)
        squares = sum_of_squares(grads, halves(grads.size)[0])
        self._wait()
        return clip_by_global_norm_(grads, max_norm, squares + float(self._desk.numbers[0]))

    def step(self, optimizer: Optimizer, config: TrainConfig, lr: float) -> None:
        """As the optimiser's, which is the one that the model has got within the `with` block."""
        if not self.is_here or not _is_blockwise(optimizer):
            optimizer.step(config, lr)
            return
        optimizer.updates += 1
        self._desk.numbers[1] = lr
        self._desk.mailbox.post(STEP, optimizer.updates)
        optimizer.step_blocks(halves(self.transformer.n_parameters)[0], config, lr)
        self._wait()

    def _look_out(self) -> None:
        """Start the process when it is time, and give it work as soon as it is there."""
        if self._process is None:
            if perf_counter() >= self._start_at:
                self._start()
        elif self._process.poll() is not None:
            self._leave()
        elif self._desk.mailbox.is_done:
            self.is_here, self._free = True, 0
            for number, linear in enumerate(self._desk.linears):
                linear.elsewhere = partial(self._hand_over, number)

    def _start(self) -> None:
        self._start_at = math.inf  # once
        try:
            self._process = start_process("tinychat.training.partner_process")
            assert self._process.stdin is not None
            pickle.dump(self._opening, self._process.stdin)
            self._process.stdin.flush()
        except OSError:  # then it is done alone
            self._leave()
        self._desk.mailbox.post(BEGIN)

    def _hand_over(self, number: int, x: Floats, dy: Floats) -> None:
        """Copies, as the layers' arrays may soon hold something else."""
        n_rows = len(x)
        for_x, for_dy = self._desk.operands(number, n_rows, self._free)
        for_x[...], for_dy[...] = x, dy
        self._desk.mailbox.post(PRODUCTS, number, n_rows, self._free)
        self._free += x.size + dy.size

    def _wait(self) -> None:
        process = self._process
        if not self.is_here or process is None or self._desk.mailbox.wait(lambda: process.poll() is None):
            return
        code = process.wait()
        reason = ", perhaps for want of memory" if code < 0 else ""
        raise WorkerError(f"the partner process has ended (exit code {code}){reason}; train with --workers 1")

    def _leave(self) -> None:
        """From now on alone."""
        self.is_here = False
        for linear in self._desk.linears:
            linear.elsewhere = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:  # what was not sent, to nobody
                        continue
            self._process = None


def partner_for(model: Model, config: TrainConfig) -> Partner | None:
    """For a recipe that learns from one example at a time, where there is a processor for it."""
    if config.batch_size > 1 or config.workers == 1 or os.cpu_count() == 1:
        return None
    try:
        return Partner(model, config)
    except OSError:  # no room for temporary files: alone, then, to the same bits
        return None


def _is_blockwise(optimizer: Optimizer) -> TypeGuard[Adam | Sgd]:
    return optimizer.kind in BLOCKWISE
