"""Ten updates of the whole classic model: the run that PyTorch and the golden file are compared with."""

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinychat.config import ModelConfig, TrainConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Ids
from tinychat.training.adam import Adam
from tinychat.training.optimizer import clip_by_global_norm_

GOLDEN = Path(__file__).parents[1] / "golden" / "classic_trajectory.json"
CONFIG = ModelConfig(vocab_size=50)
RECIPE = TrainConfig(lr=0.0005, beta1=0.9, beta2=0.999, eps=1e-8, clip_norm=5.0)
SEED = 4
"""Of the first weights: with these no number is so near to the bend of a ReLU that rounding decides."""
SMOOTH, STEADY = replace(CONFIG, activation="gelu"), replace(RECIPE, eps=1e-5)
"""For float32, in which the run above need not end near to where it does in float64, whoever computes it.

Where the input to a ReLU is so near to 0 that rounding changes its sign (it happens in two of the first five
seeds), a gradient is another one, and not nearly the same. And Adam divides a gradient by its own size: where
that is nothing but rounding, it moves the weight by up to lr, either way, and all others feel it. With an
activation that has a derivative everywhere, and an eps far above the rounding of gradients, small errors
stay small.
"""
LENGTHS = (12, 30, 5, 80, 21, 1, 44, 17, 9, 33)
"""Of the one example of each update; the longest is the whole context."""


@dataclass(frozen=True)
class Trajectory:
    losses: list[float]
    grad_norms: list[float]
    """Before clipping."""
    parameter_norms: dict[str, float]
    """By name, after the last update."""
    parameters: Floats

    def to_golden(self) -> dict[str, Any]:
        return {
            "losses": self.losses,
            "grad_norms": self.grad_norms,
            "parameter_norms": self.parameter_norms,
        }


def examples() -> list[tuple[Ids, Ids]]:
    rng = np.random.default_rng(7)
    rows = [rng.integers(0, CONFIG.vocab_size, length + 1) for length in LENGTHS]
    return [(row[None, :-1], row[None, 1:]) for row in rows]


@cache
def by_numpy(
    dtype: DTypeLike, config: ModelConfig = CONFIG, recipe: TrainConfig = RECIPE, seed: int = SEED
) -> Trajectory:
    model = Transformer(config, dtype)
    parameters = model.parameters.initialise(np.random.default_rng(seed))
    optimizer = Adam(parameters)
    losses, norms = [], []
    for ids, targets in examples():
        losses.append(model.loss_and_gradients(ids, targets).mean)
        norms.append(clip_by_global_norm_(parameters.grads, recipe.clip_norm))
        optimizer.step(recipe, recipe.lr)
    by_name = {name: float(np.linalg.norm(view)) for name, view in parameters.views(parameters.values)}
    return Trajectory(losses, norms, by_name, parameters.values)


def golden() -> dict[str, Any]:
    return dict(json.loads(GOLDEN.read_text()))
