"""A second process for recipes that learn from one example at a time, so that there is no batch to divide.

The chain of products through the layers is for one alone. What hangs off it goes to the partner: gradients by
the weights of linear layers, for which nobody waits before clipping, half of clipping's sum, and most of the
optimiser's step, from the back: while that goes on, the next example is read by the layers whose weights are
ready. All of it comes out the same to the bit as without a partner, so that it may join at any update.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby
from typing import NamedTuple, Self

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.errors import WorkerError
from tinychat.model import Model
from tinychat.training.batches import Batch, to_batch
from tinychat.training.blocks import halves
from tinychat.training.blockwise import Blockwise
from tinychat.training.optimizer import Optimizer, global_norm, sum_of_squares
from tinychat.training.partner_link import PartnerLink
from tinychat.training.partner_process import PRODUCTS, SQUARES, STEP, Setting
from tinychat.training.processes import n_cores
from tinychat.training.rows import Row
from tinychat.training.shared_model import SharedModel, is_blockwise
from tinychat.training.team import Found
from tinychat.training.worker import read

OWN_SHARE = 0.25
"""Of the optimiser's step, from the front; the rest takes the partner about as long as reading takes us."""


class _Read(NamedTuple):
    """Rows that were read before it was their turn."""

    rows: Sequence[Row]
    loss: Loss
    n_reads: int


class Partner:
    """A Team for batches of one example. Within the `with` block the model learns in shared memory."""

    def __init__(self, model: Model, config: TrainConfig) -> None:
        """Raise OSError if there is no room in the folder for temporary files."""
        self._shared = SharedModel(model)
        self._desk, self.transformer = self._shared.desk, self._shared.transformer
        setting = Setting(model.config, config, self._shared.path, self._shared.dtype)
        self.link = PartnerLink(setting, self._desk.mailbox)
        self._hands = [partial(self._hand_over, number) for number in range(len(self._desk.linears))]
        self._read: _Read | None = None

    def __enter__(self) -> Self:
        self._shared.put_in()
        return self

    def __exit__(self, *_: object) -> None:
        """Bring back what was learnt, and end the process."""
        try:
            with suppress(WorkerError):  # something else went wrong, and it may still be at work
                self.link.wait()
            self.link.leave()
            self._shared.take_out()
        finally:
            self.link.leave()
            self._shared.remove()

    def loss_and_gradients(
        self,
        rows: Sequence[Row],
        rngs: Sequence[np.random.Generator | None],
        meanwhile: Callable[[], bool] | None = None,
    ) -> Loss:
        """See Team; of one row. There is no wait so long that `meanwhile` were of use."""
        if not self.link.is_here:
            self.link.look_out()
        ahead, self._read = self._read, None
        linears = self._desk.linears if self.link.is_here else []
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
                self.link.wait()
        return loss

    def _loss(self, rows: Sequence[Row], rng: np.random.Generator | None = None) -> Loss:
        return self.transformer.loss(*to_batch(rows, self.transformer.config.max_seq_len), rng)

    def read(self, function: Callable[[Transformer, Batch], Found], batches: Sequence[Batch]) -> list[Found]:
        """See Team; without the partner's help."""
        return read(self.transformer, function, batches)

    def global_norm(self) -> float:
        """See Team; the partner sums up one half."""
        grads = self.transformer.parameters.grads
        if not self.link.is_here:
            return global_norm(grads)
        self.link.post(SQUARES)
        squares = sum_of_squares(grads[halves(grads.size)[0]])
        self.link.wait()
        return math.sqrt(squares + float(self._desk.numbers[0]))

    def step(
        self,
        optimizer: Optimizer,
        config: TrainConfig,
        lr: float,
        scale: float = 1.0,
        coming: Sequence[Row] | None = None,
    ) -> None:
        """See Team; with the optimiser that the model has got within the `with` block.

        The weights are whole at the end, but not if WorkerError is raised.
        """
        if not self.link.is_here or not is_blockwise(optimizer):
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
            self.link.wait()
        except WorkerError as error:
            error.are_weights_whole = False
            raise

    def _post_steps(self, optimizer: Blockwise, first: int) -> dict[int, int]:
        """The blocks from `first` on, stage by stage: for each stage its place among all jobs."""
        jobs, end = {}, first
        for stage, blocks in groupby(optimizer.blocks[first:], key=lambda block: block.stage):
            start, end = end, end + len(list(blocks))
            jobs[stage] = self.link.post(STEP, optimizer.updates, start, end)
        return jobs

    def _read_ahead(self, rows: Sequence[Row], jobs: dict[int, int]) -> None:
        """Each stage as soon as its weights are ready."""

        def wait(stage: int) -> None:
            if stage in jobs:
                self.link.wait(jobs[stage])

        self.transformer.before_stage, usual = wait, self.transformer.before_stage
        try:
            with np.errstate(all="ignore"):
                self._read = _Read(rows, self._loss(rows), self.transformer.n_reads)
        finally:
            self.transformer.before_stage = usual

    def _hand_over(self, number: int, x: Floats, dy: Floats) -> None:
        """Copies, as the layers' arrays may soon hold something else."""
        for_x, for_dy = self._desk.operands(number, len(x))
        for_x[...], for_dy[...] = x, dy
        self.link.post(PRODUCTS, number, len(x))


def partner_for(model: Model, config: TrainConfig) -> Partner | None:
    """For a recipe that learns from one example at a time, where there is a processor for it."""
    if config.batch_size > 1 or config.workers == 1 or n_cores() == 1:
        return None
    try:
        return Partner(model, config)
    except (OSError, MemoryError):  # no room: alone, then, to the same bits
        return None


def _first_after(optimizer: Blockwise, share: float) -> int:
    """Number of the first block behind that share of all elements. It is never of the embedding, which is
    read before all."""
    n = share * optimizer.parameters.values.size
    return sum(block.stage == 0 or block.place.start < n for block in optimizer.blocks)
