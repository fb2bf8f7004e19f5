"""What all optimisers have in common, where to find them by name, and clipping by the global norm."""

import math
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters
from tinychat.training.adam import Adam, AdamW
from tinychat.training.blocks import halves
from tinychat.training.helper import Helper
from tinychat.training.muon import Muon
from tinychat.training.sgd import Sgd


class Optimizer(Protocol):
    """Moves the values of `parameters` against their gradients.

    Whoever saves `updates` and the vectors of `state`, each ndarray of shape (P,), and writes them back into
    an optimiser of the same kind goes on to the same bits.
    """

    kind: ClassVar[str]
    state_names: ClassVar[tuple[str, ...]]
    parameters: Parameters
    updates: int
    state: dict[str, Floats]

    def __init__(self, parameters: Parameters) -> None: ...

    def step(self, config: TrainConfig, lr: float, helpers: Sequence[Helper] = ()) -> None:
        """Update the values from the gradients, which are spent: they hold something else afterwards.

        `lr` is the learning rate of this update, `config.lr` only its height. Helpers may do a part of the
        work; the result is the same to the bit.
        """


OPTIMIZERS: dict[str, type[Optimizer]] = {cls.kind: cls for cls in (Adam, AdamW, Sgd, Muon)}


def make_optimizer(kind: str, parameters: Parameters) -> Optimizer:
    """An optimiser without a past, of a kind that TrainConfig.optimizer names."""
    return OPTIMIZERS[kind](parameters)


def clip_by_global_norm_(grads: Floats, max_norm: float) -> float:
    """Scale `grads` of shape (P,) down to L2 norm `max_norm` if it is longer; return the norm before.

    Pascanu et al. 2013, algorithm 1.
    """
    norm = global_norm(grads)
    if (scale := clip_scale(norm, max_norm)) != 1:
        grads *= scale
    return norm


def global_norm(grads: Floats) -> float:
    """L2 norm of a vector of shape (P,): that of both halves, which two may find."""
    return math.sqrt(sum(sum_of_squares(grads[half]) for half in halves(grads.size)))


def sum_of_squares(grads: Floats) -> float:
    """Of a vector of shape (P,), or a part of it."""
    return float(np.dot(grads, grads))


def clip_scale(norm: float, max_norm: float) -> float:
    """By what gradients of that norm are multiplied to have one of at most `max_norm`."""
    return max_norm / norm if norm > max_norm else 1.0
