"""A PyTorch module in training."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from batches import Update
from torch import Tensor, nn
from twin_optimizers import Muon, optimizers_for

from tinychat.config import IGNORE, TrainConfig


class TensorUpdate(NamedTuple):
    """What the twin learns from in one update."""

    ids: Tensor
    targets: Tensor
    lr: float
    n_tokens: int


class Learner:
    """The twin and its optimisers: an update at a time."""

    def __init__(self, twin: nn.Module, config: TrainConfig) -> None:
        self.twin = twin
        self.config: TrainConfig | None = None
        self.begin(config)

    def begin(self, config: TrainConfig) -> None:
        """A phase. An optimiser of the same kind goes on with the moments that it has."""
        if self.config is None or config.optimizer != self.config.optimizer:
            self.optimizers = optimizers_for(self.twin, config)
        self.config = config

    def step(self, update: TensorUpdate) -> Tensor:
        """One update; the loss before it, in nats a token."""
        config = self.config
        assert config is not None
        for optimizer in self.optimizers:
            share = config.hidden_lr if isinstance(optimizer, Muon) else 1.0
            for group in optimizer.param_groups:
                group["lr"] = update.lr * share
            optimizer.zero_grad(set_to_none=True)
        counted = update.targets != IGNORE
        if counted.all():
            logits, targets = self.twin(update.ids).flatten(0, 1), update.targets.flatten()
        else:  # as ours: masked prompts and padding are not projected onto the vocabulary
            logits, targets = self.twin(update.ids, counted=counted), update.targets[counted]
        loss = F.cross_entropy(logits, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(self.twin.parameters(), config.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.detach()


def as_tensors(some: Iterable[Update]) -> list[TensorUpdate]:
    return [
        TensorUpdate(torch.from_numpy(ids), torch.from_numpy(targets), lr, int((targets != IGNORE).sum()))
        for ids, targets, lr in some
    ]
