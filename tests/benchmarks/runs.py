"""A whole training run, ours and the twin's, as two sides of a comparison."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from batches import updates
from learner import Learner, as_tensors
from measure import best, pairs, print_table, ratios, spread, torch_threads
from recipes import Recipe
from torch import Tensor
from twin import Twin

from tinychat.config import IGNORE
from tinychat.training.batches import grouped, to_batch
from tinychat.training.events import EpochDone, PhaseDone, StepDone
from tinychat.training.run import TrainingRun

NO_SAMPLES = 10**6
"""Epochs between two samples: the twin draws none."""
Batch = tuple[Tensor, Tensor]


@dataclass
class Comparison:
    """Both sides of one recipe, and what they came to."""

    recipe: Callable[[], Recipe]
    threads: tuple[int, ...]
    """Of PyTorch; a side each."""
    losses: dict[str, float] = field(default_factory=dict)
    """By side: at the end, on held-out text where there is some, else of the last epoch."""
    n_updates: int = 0

    def measure(self, n_pairs: int) -> dict[str, list[float]]:
        """Seconds by side."""
        sides: dict[str, Callable[[], float]] = {"tinychat": self._ours}
        for n in self.threads:
            sides[their_name(n)] = partial(self._theirs, n)
        return pairs(sides, n_pairs)

    def report(self, question: str, n_pairs: int, scale: float = 1.0) -> None:
        """Measure and print; `scale` stretches the seconds to those of the whole run."""
        found = self.measure(n_pairs)
        names = [their_name(n) for n in self.threads]
        fastest = best(found, names)
        rows = [
            [
                name,
                spread([second * scale for second in found[name]], 1),
                f"{1000 * median(found[name]) / self.n_updates:.2f}",
                f"{self.losses[name]:.4f}",
                spread(ratios(found, "tinychat", name)) if name != "tinychat" else "",
            ]
            for name in found
        ]
        columns = ["program", "seconds", "ms an update", "loss at the end", "ours to it"]
        print_table(f"{question} ({n_pairs} pairs, {self.n_updates} updates)", columns, rows)
        print(f"PyTorch is fastest as: {fastest}. BLAS of tinychat: 1 thread a process.")

    def _ours(self) -> float:
        """Until the last phase is done: the questions worth keeping are looked for then, and by no twin."""
        run = TrainingRun.start(*self.recipe())
        self.n_updates = 0
        start = end = perf_counter()
        for event in run.run():
            self.n_updates += isinstance(event, StepDone)
            if isinstance(event, EpochDone):
                loss = event.loss if event.held_out_loss is None else event.held_out_loss
                self.losses["tinychat"] = loss
            if isinstance(event, PhaseDone):
                end = perf_counter()
        return end - start

    def _theirs(self, n_threads: int) -> float:
        """Its tensors are made before the clock runs."""
        run = TrainingRun.start(*self.recipe())
        plan = [
            (config, as_tensors(updates(run, phase)), held_out(run, phase))
            for phase, config in run.model.card.configs.items()
        ]
        learner = Learner(Twin(run.model.transformer), plan[0][0])
        with torch_threads(n_threads):
            start = perf_counter()
            for config, steps, batches in plan:
                learner.begin(config)
                n_steps = len(steps) // max(config.epochs, 1)
                for epoch in range(config.epochs):
                    loss = torch.zeros(())
                    epoch_steps = steps[epoch * n_steps : (epoch + 1) * n_steps]
                    for update in epoch_steps:
                        loss += learner.step(update) * update.n_tokens
                    mean = loss.item() / sum(update.n_tokens for update in epoch_steps)
                    self.losses[their_name(n_threads)] = measured(learner, batches) if batches else mean
            return perf_counter() - start


def their_name(n_threads: int) -> str:
    return f"PyTorch, eager, {n_threads} thread{'s' * (n_threads > 1)}"


def held_out(run: TrainingRun, phase: str) -> list[Batch]:
    rows = run._held_out[phase].clean
    size = run.model.card.configs[phase].batch_size
    batches = (to_batch(some) for some in grouped(rows, size, np.random.default_rng(0)))
    return [(torch.from_numpy(ids), torch.from_numpy(targets)) for ids, targets in batches]


@torch.no_grad()
def measured(learner: Learner, batches: list[Batch]) -> float:
    """Loss on the batches, in nats a token."""
    total, n_tokens = 0.0, 0
    for ids, targets in batches:
        logits = learner.twin(ids).flatten(0, 1)
        total += F.cross_entropy(logits, targets.flatten(), ignore_index=IGNORE, reduction="sum").item()
        n_tokens += int((targets != IGNORE).sum())
    return total / n_tokens
