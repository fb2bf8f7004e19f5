"""Adam in vectors longer than a block; what it has in common with the others is in test_optimizer.py."""

import numpy as np
import pytest
from textbook import adamw, random_gradients, update

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters, ParameterSpec
from tinychat.training.adam import Adam
from tinychat.training.blocks import BLOCK

CONFIG = TrainConfig(beta1=0.8, beta2=0.95, eps=1e-6)
LENGTHS = (1, 5, 70_001, BLOCK, BLOCK + 1, 2 * BLOCK + 17)
"""Below, at and above the length of the blocks that Adam works in."""


def parameters_of(values: Floats) -> Parameters:
    parameters = Parameters([ParameterSpec("w", values.shape)], values.dtype)
    parameters.values[...] = values
    return parameters


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_twenty_updates_are_those_of_the_paper(length: int, dtype: type[np.floating]) -> None:
    start = 0.01 * np.random.default_rng(0).standard_normal(length)
    # A schedule changes the learning rate between updates.
    steps = [(g, CONFIG, 0.01 / t) for t, g in enumerate(random_gradients(20, length), start=1)]
    found = update(Adam(parameters_of(start.astype(dtype))), steps)
    wanted = adamw(start, steps)
    # Twenty roundings of a weight, and none larger than that of the largest.
    atol = 20 * np.finfo(dtype).eps * np.abs(wanted).max()
    assert np.abs(wanted - start).max() > 1e4 * atol
    np.testing.assert_allclose(found, wanted, rtol=0, atol=atol)


def test_the_moments_are_those_of_the_paper_but_for_their_constants() -> None:
    adam = Adam(parameters_of(np.zeros(100)))
    gradients = random_gradients(20, 100)
    update(adam, [(gradient, CONFIG, 0.01) for gradient in gradients])
    m = v = np.zeros(100)
    for g in gradients:
        m = 0.8 * m + (1 - 0.8) * g
        v = 0.95 * v + (1 - 0.95) * g**2
    np.testing.assert_allclose((1 - 0.8) * adam.state["m"], m, rtol=1e-9, atol=1e-24)
    np.testing.assert_allclose((1 - 0.95) * adam.state["v"], v, rtol=1e-9, atol=1e-30)


def test_the_first_update_moves_every_weight_by_lr_against_its_gradient() -> None:
    parameters = parameters_of(np.zeros(4))
    parameters.grads[...] = [3, -0.1, 1e4, 0]
    Adam(parameters).step(TrainConfig(), 0.01)
    np.testing.assert_allclose(parameters.values, [-0.01, 0.01, -0.01, 0], rtol=1e-6)


def test_defaults_are_those_of_the_paper() -> None:
    config = TrainConfig()
    assert (config.beta1, config.beta2, config.eps, config.clip_norm) == (0.9, 0.999, 1e-8, 5.0)


def test_an_update_without_a_gradient_follows_the_momentum() -> None:
    adam = Adam(parameters_of(np.zeros(1)))
    first = update(adam, [(np.ones(1), CONFIG, 0.01)]).copy()
    assert update(adam, [(np.zeros(1), CONFIG, 0.01)])[0] < first[0] < 0


def test_where_a_block_ends_changes_no_bit() -> None:
    """Nor which thread updates it: the same numbers in one long vector and in many short ones."""
    length = 2 * BLOCK + 17
    values, *gradients = np.random.default_rng(0).standard_normal((4, length), dtype=np.float32)

    def updated(part: slice) -> Floats:
        adam = Adam(parameters_of(values[part]))
        return update(adam, [(gradient[part], CONFIG, 0.01) for gradient in gradients])

    pieces = [updated(slice(start, start + 10_007)) for start in range(0, length, 10_007)]
    assert np.concatenate(pieces).tobytes() == updated(slice(None)).tobytes()
