"""One phase of training, as a generator of events."""

import math
from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.errors import TrainingDivergedError
from tinychat.training.batches import Drawing
from tinychat.training.events import EpochDone, Event, PhaseDone, PhaseStarted, SampleDrawn, StepDone
from tinychat.training.history import PhaseProgress
from tinychat.training.keeping import Keeper
from tinychat.training.movement import MovementMeter, is_epoch_measured
from tinychat.training.optimizer import Optimizer, clip_scale
from tinychat.training.rows import Row, RowSource
from tinychat.training.schedule import learning_rate
from tinychat.training.team import Team


class Trainer:
    """Goes through a phase's examples, epoch by epoch, each in an order drawn anew.

    `progress` is up to date at every event: whoever stops iterating at one can save the weights, the
    optimiser and the progress, and a Trainer made from those goes on with the bits it would have had.
    """

    def __init__(
        self,
        phase: str,
        team: Team,
        optimizer: Optimizer,
        source: RowSource,
        keeper: Keeper,
        config: TrainConfig,
        progress: PhaseProgress,
        rng: Callable[..., np.random.Generator],
        sample: Callable[[], tuple[str, str]],
    ) -> None:
        """`rng(epoch)` makes the generator for an epoch's order and noise, `rng(epoch, update, worker)`
        that for what a worker drops; `sample` gives a prompt and its answer.
        """
        self.phase = phase
        self.transformer = team.transformer
        self.optimizer = optimizer
        self.source = source
        self.keeper = keeper
        self.config = config
        self.progress = progress
        self._rng = rng
        self._sample = sample
        self._team = team
        self._meter = MovementMeter(self.transformer.parameters)
        self._coming = self._drawing(progress.epoch)
        self._sum = np.empty(0, self.transformer.parameters.grads.dtype)

    def run(self) -> Iterator[Event]:
        """Train to the last epoch; raise TrainingDivergedError if the loss or the gradient is not finite."""
        progress, config = self.progress, self.config
        n_tokens = sum(row.n_predicted for row in self.source.clean)
        yield PhaseStarted(self.phase, config.epochs, len(self.source.clean), n_tokens, config.lr)
        if not self._is_over:
            yield self._sampled()
        while not self._is_over:
            yield from self._epoch()
            if progress.epoch % config.sample_every == 0 or progress.epoch == 1 or self._is_over:
                yield self._sampled()
        self.keeper.end()  # of a phase without an epoch; others have ended with their last one
        yield PhaseDone(self.phase, progress.epoch, progress.last_loss, progress.seconds)

    @property
    def _is_over(self) -> bool:
        progress = self.progress
        return progress.is_ended or progress.epoch >= self.config.epochs or self.keeper.is_patience_out

    def _epoch(self) -> Iterator[Event]:
        start = perf_counter()
        progress, config = self.progress, self.config
        batches = self._coming.batches()
        self._coming = self._drawing(progress.epoch + 1)
        n_steps = -(-len(batches) // config.accumulate)
        self._spend(perf_counter() - start)
        while progress.step < n_steps:
            first = progress.step * config.accumulate
            end = first + config.accumulate
            yield self._step(batches[first:end], n_steps, batches[end] if end < len(batches) else None)
        yield self._close_epoch()

    def _drawing(self, epoch: int) -> Drawing:
        return Drawing(self.source, self.config.batch_size, self._rng(epoch))

    def _spend(self, seconds: float) -> None:
        self.progress.epoch_seconds += seconds
        self.progress.seconds += seconds

    def _step(self, batches: list[list[Row]], n_steps: int, coming: list[Row] | None) -> StepDone:
        """An update from these batches; `coming` is the first one of the next."""
        start = perf_counter()
        progress, config = self.progress, self.config
        is_measured = progress.step + 1 == n_steps and is_epoch_measured(
            progress.epoch, len(self.source.clean)
        )
        with np.errstate(all="ignore"):  # what overflows is told below, once
            loss = self._loss_and_gradients(batches)
            if is_measured:
                self._meter.before()
            grad_norm = self._team.global_norm()
        if not math.isfinite(loss.total + grad_norm):  # the weights are still the last good ones
            raise self._diverged()
        done = (progress.epoch + progress.step / n_steps) / config.epochs
        scale = clip_scale(grad_norm, config.clip_norm)
        self._team.step(self.optimizer, config, learning_rate(config, done), scale, coming)
        if is_measured:
            progress.grad_norms, progress.update_ratios = self._meter.after()
        self.keeper.after_update()
        smoothed = progress.count_update(loss, grad_norm, n_steps)
        self._spend(perf_counter() - start)
        return StepDone(self.phase, progress.epoch + 1, progress.step, n_steps, loss.mean, smoothed)

    def _diverged(self) -> TrainingDivergedError:
        return TrainingDivergedError(
            f"training diverged in epoch {self.progress.epoch + 1} of {self.phase}: "
            f"the loss is no longer a number; train anew with a smaller learning rate, --{self.phase}-lr"
        )

    def _loss_and_gradients(self, batches: list[list[Row]]) -> Loss:
        """Of all batches of an update together: the gradient of their mean loss a token."""
        rngs = [self._drop_rng(worker) for worker in range(self.config.workers)]
        if len(batches) == 1:
            return self._team.loss_and_gradients(batches[0], rngs, self._meanwhile)
        grads = self.transformer.parameters.grads
        self._sum = np.zeros_like(grads) if self._sum.size == 0 else self._sum
        self._sum.fill(0)
        losses = []
        for rows in batches:
            losses.append(self._team.loss_and_gradients(rows, rngs, self._meanwhile))
            grads *= losses[-1].tokens
            self._sum += grads
        total = Loss.sum(losses)
        np.divide(self._sum, max(total.tokens, 1), out=grads)
        return total

    @property
    def _meanwhile(self) -> Callable[[], bool] | None:
        """What there is to do while others are waited for: to draw the rows of an epoch that is to come."""
        return self._coming.go_on if self.progress.epoch + 1 < self.config.epochs else None

    def _drop_rng(self, worker: int) -> np.random.Generator | None:
        if not self.transformer.config.dropout:
            return None
        return self._rng(self.progress.epoch, 1 + self.progress.step, worker)

    def _close_epoch(self) -> EpochDone:
        start = perf_counter()
        progress, config = self.progress, self.config
        held_out_loss = self.keeper.after_epoch()
        if held_out_loss is not None and not math.isfinite(held_out_loss):
            raise self._diverged()
        loss = progress.loss_sum / max(progress.n_tokens, 1)
        pace = progress.seconds / (progress.epoch + 1)
        record = EpochDone(
            phase=self.phase,
            epoch=progress.epoch + 1,
            epochs=config.epochs,
            loss=loss,
            perplexity=math.exp(min(loss, 700.0)),
            accuracy=progress.n_correct / progress.n_tokens,
            grad_norm=progress.grad_norm_sum / progress.step,
            tokens_per_s=progress.n_tokens / max(progress.epoch_seconds, 1e-9),
            seconds_left=pace * (config.epochs - progress.epoch - 1),
            lr=learning_rate(config, (progress.epoch + 1 - 1 / progress.step) / config.epochs),
            held_out_loss=held_out_loss,
            smoothed_loss=progress.smoothed_loss,
            grad_norms=progress.grad_norms,
            update_ratios=progress.update_ratios,
        )
        progress.epoch += 1
        progress.epochs.append(record)
        progress.step = progress.n_tokens = progress.n_correct = 0
        progress.loss_sum = progress.grad_norm_sum = progress.epoch_seconds = 0.0
        progress.grad_norms, progress.update_ratios = {}, {}
        if self._is_over:
            self.keeper.end()
        progress.seconds += perf_counter() - start
        return record

    def _sampled(self) -> SampleDrawn:
        start = perf_counter()
        with np.errstate(all="ignore"):  # an update may have spoilt the weights; the next loss tells
            prompt, text = self._sample()
        self.progress.seconds += perf_counter() - start
        return SampleDrawn(self.phase, self.progress.epoch, prompt, text)
