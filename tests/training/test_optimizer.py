from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters, ParameterSpec
from tinychat.training import optimizer
from tinychat.training.optimizer import Adam, clip_by_global_norm_

CONFIG = TrainConfig(lr=0.01, beta1=0.8, beta2=0.95, eps=1e-6)
BLOCK = optimizer._BLOCK
LENGTHS = (1, 5, 70_001, BLOCK, BLOCK + 1, 2 * BLOCK + 17)
"""Below, at and above the length of the blocks that Adam works in."""


def parameters_of(values: Floats) -> Parameters:
    parameters = Parameters([ParameterSpec("w", values.shape)], values.dtype)
    parameters.values[...] = values
    return parameters


def textbook_adam(
    p: Floats, gradients: list[Floats], configs: list[TrainConfig]
) -> tuple[Floats, Floats, Floats]:
    """Kingma & Ba 2015, algorithm 1, to the letter."""
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, (g, c) in enumerate(zip(gradients, configs, strict=True), start=1):
        m = c.beta1 * m + (1 - c.beta1) * g
        v = c.beta2 * v + (1 - c.beta2) * g**2
        m_hat = m / (1 - c.beta1**t)
        v_hat = v / (1 - c.beta2**t)
        p = p - c.lr * m_hat / (np.sqrt(v_hat) + c.eps)
    return p, m, v


def twenty_gradients(length: int) -> list[Floats]:
    """From far below eps to far above it, so that eps in the wrong place shows."""
    rng = np.random.default_rng(length)
    sizes = 10.0 ** rng.uniform(-8, 1, length)
    return [sizes * rng.standard_normal(length) for _ in range(20)]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_twenty_updates_are_those_of_the_paper(length: int, dtype: type[np.floating]) -> None:
    start = 0.01 * np.random.default_rng(0).standard_normal(length)
    gradients = twenty_gradients(length)
    configs = [replace(CONFIG, lr=0.01 / t) for t in range(1, 21)]  # a schedule changes lr between updates
    parameters = parameters_of(start.astype(dtype))
    adam = Adam(parameters)
    for gradient, config in zip(gradients, configs, strict=True):
        parameters.grads[...] = gradient
        adam.step(config)
    wanted, m, v = textbook_adam(start, gradients, configs)
    assert adam.updates == 20
    assert {parameters.values.dtype, adam.m.dtype, adam.v.dtype} == {np.dtype(dtype)}
    # Twenty roundings of a weight, and none larger than that of the largest.
    atol = 20 * np.finfo(dtype).eps * np.abs(wanted).max()
    assert np.abs(wanted - start).max() > 1e4 * atol
    np.testing.assert_allclose(parameters.values, wanted, rtol=0, atol=atol)
    if dtype is np.float64:
        np.testing.assert_allclose((1 - CONFIG.beta1) * adam.m, m, rtol=1e-9, atol=1e-24)
        np.testing.assert_allclose((1 - CONFIG.beta2) * adam.v, v, rtol=1e-9, atol=1e-30)


def test_the_first_update_moves_every_weight_by_lr_against_its_gradient() -> None:
    parameters = parameters_of(np.zeros(4))
    parameters.grads[...] = [3, -0.1, 1e4, 0]
    Adam(parameters).step(TrainConfig(lr=0.01))
    np.testing.assert_allclose(parameters.values, [-0.01, 0.01, -0.01, 0], rtol=1e-6)


def test_defaults_are_those_of_the_paper() -> None:
    config = TrainConfig()
    assert (config.beta1, config.beta2, config.eps, config.clip_norm) == (0.9, 0.999, 1e-8, 5.0)


def test_an_update_without_a_gradient_follows_the_momentum() -> None:
    parameters = parameters_of(np.zeros(1))
    adam = Adam(parameters)
    parameters.grads[...] = 1
    adam.step(CONFIG)
    first = parameters.values.copy()
    parameters.grads[...] = 0
    adam.step(CONFIG)
    assert parameters.values[0] < first[0] < 0


def test_the_vectors_stay_the_same_arrays() -> None:
    parameters = parameters_of(np.ones(BLOCK + 9, np.float32))
    view = parameters.values[:3]
    adam = Adam(parameters)
    kept = (parameters.values, parameters.grads, adam.m, adam.v)
    parameters.grads[...] = 1
    adam.step(CONFIG)
    assert all(
        a is b for a, b in zip(kept, (parameters.values, parameters.grads, adam.m, adam.v), strict=True)
    )
    assert (view < 1).all()


def test_where_a_block_ends_changes_no_bit() -> None:
    """Nor which thread updates it: the same numbers in one long vector and in many short ones."""
    rng = np.random.default_rng(0)
    length = 2 * BLOCK + 17
    values, gradients = (rng.standard_normal((n, length), dtype=np.float32) for n in (1, 3))

    def updated(part: slice) -> Floats:
        parameters = parameters_of(values[0, part])
        adam = Adam(parameters)
        for gradient in gradients:
            parameters.grads[...] = gradient[part]
            adam.step(CONFIG)
        return parameters.values

    pieces = [updated(slice(start, start + 10_007)) for start in range(0, length, 10_007)]
    assert np.concatenate(pieces).tobytes() == updated(slice(None)).tobytes()


vectors = arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e6, 1e6, allow_subnormal=False))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(vectors, st.floats(1e-3, 1e3))
def test_clipping_shortens_and_does_not_turn(gradient: Floats, max_norm: float) -> None:
    norm = float(np.sqrt((gradient**2).sum()))
    clipped = gradient.copy()
    assert clip_by_global_norm_(clipped, max_norm) == pytest.approx(norm, rel=1e-12)
    if norm <= max_norm * (1 - 1e-12):
        np.testing.assert_array_equal(clipped, gradient)
    elif norm > max_norm * (1 + 1e-12):
        assert np.linalg.norm(clipped) == pytest.approx(max_norm, rel=1e-9)
        np.testing.assert_allclose(clipped * (norm / max_norm), gradient, rtol=1e-9, atol=1e-290)


def test_clipping_at_the_limit_itself_does_nothing() -> None:
    gradient = np.array([3.0, 4.0], np.float32)
    assert clip_by_global_norm_(gradient, 5.0) == 5.0
    assert gradient.tolist() == [3.0, 4.0]


def test_clipping_is_by_the_norm_of_all_and_in_float32() -> None:
    gradient = np.full(10_000, 1.0, np.float32)
    assert clip_by_global_norm_(gradient, 5.0) == pytest.approx(100)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, 0.05, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the trainer turns them off
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_norm_tells_a_gradient_that_is_not_finite(bad: float) -> None:
    assert not np.isfinite(clip_by_global_norm_(np.array([1.0, bad]), 5.0))
