"""One phase of training, as a generator of events."""

import math
from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.model import Transformer
from tinychat.errors import TrainingDivergedError
from tinychat.training.events import EpochDone, Event, PhaseDone, PhaseStarted, SampleDrawn, StepDone
from tinychat.training.history import PhaseProgress
from tinychat.training.optimizer import Adam, clip_by_global_norm_
from tinychat.training.rows import Batches


class Trainer:
    """Goes through a phase's examples, epoch by epoch, each in an order drawn anew.

    `progress` is up to date at every event: whoever stops iterating at one can save the weights, the
    optimiser and the progress, and a Trainer made from those goes on with the bits it would have had.
    """

    def __init__(
        self,
        phase: str,
        transformer: Transformer,
        optimizer: Adam,
        batches: Batches,
        config: TrainConfig,
        progress: PhaseProgress,
        epoch_rng: Callable[[int], np.random.Generator],
        sample: Callable[[], tuple[str, str]],
    ) -> None:
        """`epoch_rng` makes the generator that shuffles an epoch; `sample` gives a prompt and its answer."""
        self.phase = phase
        self.transformer = transformer
        self.optimizer = optimizer
        self.batches = batches
        self.config = config
        self.progress = progress
        self._epoch_rng = epoch_rng
        self._sample = sample

    def run(self) -> Iterator[Event]:
        """Train to the last epoch; raise TrainingDivergedError if the loss or the gradient is not finite."""
        progress, config = self.progress, self.config
        yield PhaseStarted(self.phase, config.epochs, len(self.batches), self.batches.n_tokens, config.lr)
        if progress.epoch < config.epochs:
            yield self._sampled()
        while progress.epoch < config.epochs:
            yield from self._epoch()
            if progress.epoch % config.sample_every == 0 or progress.epoch in (1, config.epochs):
                yield self._sampled()
        yield PhaseDone(self.phase, progress.epoch, progress.last_loss, progress.seconds)

    def _epoch(self) -> Iterator[Event]:
        progress = self.progress
        order = self._epoch_rng(progress.epoch).permutation(len(self.batches))
        while progress.step < len(order):
            yield self._step(int(order[progress.step]))
        yield self._close_epoch()

    def _step(self, index: int) -> StepDone:
        start = perf_counter()
        progress = self.progress
        with np.errstate(all="ignore"):  # what overflows is told below, once
            loss = self.transformer.loss_and_gradients(*self.batches[index])
            grad_norm = clip_by_global_norm_(self.transformer.parameters.grads, self.config.clip_norm)
        if not math.isfinite(loss.total + grad_norm):  # the weights are still the last good ones
            raise TrainingDivergedError(
                f"training diverged in epoch {progress.epoch + 1} of {self.phase}: "
                "the loss is no longer a number; train anew with a smaller learning rate"
            )
        self.optimizer.step(self.config)
        progress.step += 1
        progress.loss_sum += loss.total
        progress.n_tokens += loss.tokens
        progress.n_correct += loss.correct
        progress.grad_norm_sum += grad_norm
        elapsed = perf_counter() - start
        progress.epoch_seconds += elapsed
        progress.seconds += elapsed
        return StepDone(self.phase, progress.epoch + 1, progress.step, len(self.batches), loss.mean)

    def _close_epoch(self) -> EpochDone:
        progress, config = self.progress, self.config
        loss = progress.loss_sum / progress.n_tokens
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
        )
        progress.epochs.append(record)
        progress.epoch += 1
        progress.step = progress.n_tokens = progress.n_correct = 0
        progress.loss_sum = progress.grad_norm_sum = progress.epoch_seconds = 0.0
        return record

    def _sampled(self) -> SampleDrawn:
        start = perf_counter()
        prompt, text = self._sample()
        self.progress.seconds += perf_counter() - start
        return SampleDrawn(self.phase, self.progress.epoch, prompt, text)
