"""A second process for recipes that learn from one example at a time, so that there is no batch to divide.

The chain of products through the layers is for one alone. What hangs off it goes to the partner: gradients by
the weights of linear layers, for which nobody waits before clipping, half of clipping's sum, and most of the
optimiser's step, from the back: while that goes on, the next example is read by the layers whose weights are
ready. All of it comes out the same to the bit as without a partner, so that it may join at any update.
"""

import atexit
import math
import pickle
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import NamedTuple, Self, TypeGuard

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.parameters import Floats
from tinychat.errors import WorkerError
from tinychat.model import Model
from tinychat.training.batches import Batch, to_batch
from tinychat.training.blocks import halves
from tinychat.training.blockwise import Blockwise
from tinychat.training.desk import Desk
from tinychat.training.mailbox import GoneError
from tinychat.training.optimizer import Optimizer, global_norm, make_optimizer, sum_of_squares
from tinychat.training.partner_process import BEGIN, BLOCKWISE, PRODUCTS, SQUARES, STEP, Setting
from tinychat.training.rows import Row
from tinychat.training.worker import read
from tinychat.training.workers import end_process, gone, n_cores, start_process

START_AFTER_S = 0.3
"""A training that is over by then is not worth a process."""
LONGEST_START_S = 30.0
"""For whoever waits for the partner."""
OWN_SHARE = 0.25
"""Of the optimiser's step, from the front; the rest takes the partner about as long as reading takes us."""


class _Read(NamedTuple):
    """Rows that were read before it was their turn."""

    rows: Sequence[Row]
    loss: Loss
    n_reads: int


class Partner:
    """What Workers are for batches. Within the `with` block the model has another transformer and optimiser,
    in memory that the partner shares; at its end it has its own again, with what those learnt.
    """

    def __init__(self, model: Model, config: TrainConfig) -> None:
        """Raise OSError if there is no room in the folder for temporary files."""
        assert model.optimizer is not None
        self._model, self._own, self._own_optimizer = model, model.transformer, model.optimizer
        self._folder = Path(mkdtemp(prefix="tinychat-"))
        path, dtype = self._folder / "desk", self._own.parameters.values.dtype.str
        self._setting = Setting(model.config, config, path, dtype)
        try:
            self._desk = Desk(path, model.config, dtype, is_new=True)
            self.transformer = self._desk.transformer
            self.transformer.parameters.values[...] = self._own.parameters.values
            self.optimizer = make_optimizer(self._own_optimizer.kind, self.transformer.parameters)
            if _is_blockwise(self.optimizer):
                self.optimizer.state = self._desk.state_of(self.optimizer)
            _copy(self._own_optimizer, self.optimizer)
        except BaseException:
            _remove(self._folder)
            raise
        self._hands = [partial(self._hand_over, number) for number in range(len(self._desk.linears))]
        self._read: _Read | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at = monotonic() + START_AFTER_S
        self.is_here = False
        """Whether there is a process that takes part."""

    def __enter__(self) -> Self:
        self._model.transformer, self._model.optimizer = self.transformer, self.optimizer
        return self

    def __exit__(self, *_: object) -> None:
        """Bring back what was learnt, and end the process."""
        try:
            with suppress(WorkerError):  # something else went wrong, and it may still be at work
                self._wait()
            self._leave()
            if self._model.transformer is self.transformer:  # it was not taught meanwhile
                self._own.parameters.values[...] = self.transformer.parameters.values
                _copy(self.optimizer, self._own_optimizer)
                self._model.transformer, self._model.optimizer = self._own, self._own_optimizer
        finally:
            self._leave()
            _remove(self._folder)

    def join(self) -> None:
        """Start the process at once, and wait until it takes part, or cannot."""
        self._start()
        end = monotonic() + LONGEST_START_S
        while self._process is not None and not self.is_here and monotonic() < end:
            sleep(0.01)
            self._look_out()

    def loss_and_gradients(self, rows: Sequence[Row], rngs: Sequence[np.random.Generator | None]) -> Loss:
        """As the Transformer's, of one row. Raise WorkerError if the partner is no longer there."""
        if not self.is_here:
            self._look_out()
        ahead, self._read = self._read, None
        linears = self._desk.linears if self.is_here else []
        with np.errstate(all="ignore"):  # what overflows is told by the trainer
            if ahead is not None and ahead.rows is rows and ahead.n_reads == self.transformer.n_reads:
                loss = ahead.loss
            else:
                loss = self._loss(rows, rngs[0])
            for linear, hand_over in zip(linears, self._hands, strict=False):
                linear.elsewhere = hand_over
            try:
                self.transformer.gradients()
            finally:
                for linear in linears:
                    linear.elsewhere = None
                self._wait()
        return loss

    def _loss(self, rows: Sequence[Row], rng: np.random.Generator | None = None) -> Loss:
        return self.transformer.loss(*to_batch(rows, self.transformer.config.max_seq_len), rng)

    def losses(self, batches: Sequence[Batch]) -> list[Loss]:
        """As those of Workers."""
        return read(self.transformer, batches)

    def global_norm(self) -> float:
        """L2 norm of all gradients. Raise WorkerError if the partner is no longer there."""
        grads = self.transformer.parameters.grads
        if not self.is_here:
            return global_norm(grads)
        self._post(SQUARES)
        squares = sum_of_squares(grads[halves(grads.size)[0]])
        self._wait()
        return math.sqrt(squares + float(self._desk.numbers[0]))

    def step(
        self,
        optimizer: Optimizer,
        config: TrainConfig,
        lr: float,
        scale: float = 1.0,
        coming: Sequence[Row] | None = None,
    ) -> None:
        """As that of Workers, with the optimiser that the model has got within the `with` block.

        The rows that are `coming` next may be read already. The weights are whole at the end, but not if
        WorkerError is raised, since the partner is no longer there.
        """
        if not self.is_here or not _is_blockwise(optimizer):
            if scale != 1:
                self.transformer.parameters.grads *= scale
            optimizer.step(config, lr)
            return
        optimizer.updates += 1
        self._desk.numbers[:] = lr, scale
        first = _first_after(optimizer, OWN_SHARE)
        try:
            jobs = self._post_steps(optimizer, first)
            optimizer.step_blocks(optimizer.blocks[:first], config, lr, scale)
            if coming is not None and not self.transformer.config.dropout:
                self._read_ahead(coming, jobs)
            self._wait()
        except WorkerError as error:
            error.are_weights_whole = False
            raise

    def _post_steps(self, optimizer: Blockwise, first: int) -> dict[int, int]:
        """The blocks from `first` on, stage by stage: for each stage its place among all jobs."""
        jobs, end = {}, first
        for stage, blocks in groupby(optimizer.blocks[first:], key=lambda block: block.stage):
            start, end = end, end + len(list(blocks))
            jobs[stage] = self._post(STEP, optimizer.updates, start, end)
        return jobs

    def _read_ahead(self, rows: Sequence[Row], jobs: dict[int, int]) -> None:
        """Each stage as soon as its weights are ready."""

        def wait(stage: int) -> None:
            if stage in jobs:
                self._wait(jobs[stage])

        self.transformer.before_stage, usual = wait, self.transformer.before_stage
        try:
            with np.errstate(all="ignore"):
                self._read = _Read(rows, self._loss(rows), self.transformer.n_reads)
        finally:
            self.transformer.before_stage = usual

    def _look_out(self) -> None:
        """Start the process when it is time, and give it work as soon as it is there."""
        if self._process is None:
            if monotonic() >= self._start_at:
                self._start()
        elif self._process.poll() is not None:
            self._leave()
        elif self._desk.mailbox.is_done:
            self.is_here = True
            # Both have mapped it, and most systems keep what is mapped: nothing is left if we are killed.
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        self._start_at = math.inf  # once
        try:
            self._process = process = start_process("tinychat.training.partner_process")
            assert process.stdin is not None
            pickle.dump(self._setting, process.stdin)
            process.stdin.flush()
        except OSError:  # then it is done alone
            self._leave()
            return
        self._desk.mailbox.is_alive = lambda: process.poll() is None
        self._desk.mailbox.post(BEGIN)

    def _hand_over(self, number: int, x: Floats, dy: Floats) -> None:
        """Copies, as the layers' arrays may soon hold something else."""
        for_x, for_dy = self._desk.operands(number, len(x))
        for_x[...], for_dy[...] = x, dy
        self._post(PRODUCTS, number, len(x))

    def _post(self, *job: int) -> int:
        try:
            return self._desk.mailbox.post(*job)
        except GoneError:
            raise self._gone() from None

    def _wait(self, n_jobs: int | None = None) -> None:
        if self.is_here:
            try:
                self._desk.mailbox.wait(n_jobs)
            except GoneError:
                raise self._gone() from None

    def _gone(self) -> WorkerError:
        assert self._process is not None
        return gone(self._process)

    def _leave(self) -> None:
        """From now on alone."""
        self.is_here = False
        if self._process is not None:
            end_process(self._process)
            self._process = None


def partner_for(model: Model, config: TrainConfig) -> Partner | None:
    """For a recipe that learns from one example at a time, where there is a processor for it."""
    if config.batch_size > 1 or config.workers == 1 or n_cores() == 1:
        return None
    try:
        return Partner(model, config)
    except (OSError, MemoryError):  # no room: alone, then, to the same bits
        return None


def _is_blockwise(optimizer: Optimizer) -> TypeGuard[Blockwise]:
    return optimizer.kind in BLOCKWISE


def _first_after(optimizer: Blockwise, share: float) -> int:
    """Number of the first block behind that share of all elements. It is never of the embedding, which is
    read before all."""
    n = share * optimizer.parameters.values.size
    return sum(block.stage == 0 or block.place.start < n for block in optimizer.blocks)


def _copy(optimizer: Optimizer, other: Optimizer) -> None:
    """Give another of its kind the same past."""
    other.updates = optimizer.updates
    for name, vector in optimizer.state.items():
        other.state[name][...] = vector


def _remove(folder: Path) -> None:
    """Now, or, where a file that is still mapped cannot be removed, at the end of the program."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
