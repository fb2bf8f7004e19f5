import numpy as np
import pytest
from gradients import (
    assert_forgets_shapes,
    assert_gradients,
    assert_overwrites,
    assert_stays_float32,
    random_vectors,
    randomise,
    small_config,
)
from numpy.typing import DTypeLike

from tinychat.core.attention import SelfAttention
from tinychat.core.parameters import Floats, Parameters

heads = pytest.mark.parametrize("n_heads", [1, 2, 3])


def build(n_heads: int, dtype: DTypeLike = np.float64) -> tuple[SelfAttention, Parameters]:
    config = small_config(n_heads)
    parameters = randomise(Parameters(SelfAttention.specs(config, "attention"), dtype))
    return SelfAttention(parameters.scope("attention"), config), parameters


def by_the_definition(x: Floats, w_qkv: Floats, n_heads: int) -> Floats:
    """One place and one head at a time, looking at nothing but itself and what stands before."""
    B, T, D = x.shape
    E = D // n_heads
    y = np.empty_like(x)
    for b, t, h in np.ndindex(B, T, n_heads):
        mine = slice(h * E, (h + 1) * E)
        q = x[b, t] @ w_qkv[:, :D][:, mine]
        k = x[b, : t + 1] @ w_qkv[:, D : 2 * D][:, mine]
        v = x[b, : t + 1] @ w_qkv[:, 2 * D :][:, mine]
        weights = np.exp(k @ q / np.sqrt(E))
        y[b, t, mine] = (weights / weights.sum()) @ v
    return y


@heads
def test_forward_is_the_definition(n_heads: int) -> None:
    attention, _ = build(n_heads)
    x = random_vectors(2, 4, 6)
    np.testing.assert_allclose(
        attention.forward(x), by_the_definition(x, attention.w_qkv, n_heads), rtol=1e-11
    )


@heads
def test_gradients(n_heads: int) -> None:
    attention, parameters = build(n_heads)
    assert_gradients(attention, parameters, random_vectors(2, 4, 6))


@heads
def test_gradients_of_a_full_context(n_heads: int) -> None:
    attention, parameters = build(n_heads)
    assert_gradients(attention, parameters, random_vectors(1, 6, 6))


@heads
def test_gradients_of_queries_keys_and_values_each(n_heads: int) -> None:
    """The queries and keys have far smaller gradients than the values, and could hide behind them."""
    attention, _ = build(n_heads)
    x = random_vectors(2, 4, 6)
    dy = random_vectors(2, 4, 6, seed=2)
    attention.forward(x)
    attention.backward(dy)
    step = 1e-5
    for part in range(3):
        for column in (6 * part, 6 * part + 5):
            numeric = np.empty(6)
            for row in range(6):
                ends = []
                for move in (step, -2 * step):
                    attention.w_qkv[row, column] += move
                    ends.append((attention.forward(x) * dy).sum())
                attention.w_qkv[row, column] += step
                numeric[row] = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(numeric, attention.dw_qkv[:, column], rtol=1e-6, atol=1e-9)


@heads
def test_no_place_sees_a_later_one(n_heads: int) -> None:
    attention, _ = build(n_heads)
    x = random_vectors(2, 5, 6)
    before = attention.forward(x).copy()
    for t in range(1, 5):
        changed = x.copy()
        changed[:, t:] += 3
        after = attention.forward(changed)
        np.testing.assert_allclose(after[:, :t], before[:, :t], rtol=1e-12)
        assert np.abs(after[:, t] - before[:, t]).max() > 0.1


@heads
def test_no_gradient_flows_to_a_later_place(n_heads: int) -> None:
    attention, _ = build(n_heads)
    dy = np.zeros((2, 5, 6))
    dy[:, 2] = random_vectors(2, 6)
    attention.forward(random_vectors(2, 5, 6))
    dx = attention.backward(dy)
    np.testing.assert_array_equal(dx[:, 3:], 0)
    assert np.abs(dx[:, :3]).max(axis=(0, 2)).min() > 0


def test_the_weights_are_a_distribution_over_the_places_so_far() -> None:
    attention, _ = build(2)
    attention.forward(random_vectors(2, 5, 6))
    weights = attention.weights
    assert weights.shape == (2, 2, 5, 5)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-12)
    np.testing.assert_array_equal(weights[..., np.triu_indices(5, 1)[0], np.triu_indices(5, 1)[1]], 0)


def test_scores_far_apart_do_not_overflow() -> None:
    attention, parameters = build(1, np.float32)
    parameters.values *= 1e3
    y = attention.forward(random_vectors(1, 5, 6, dtype=np.float32))
    assert np.isfinite(y).all()
    assert np.isfinite(attention.backward(np.ones_like(y))).all()


@heads
def test_backward_overwrites(n_heads: int) -> None:
    attention, parameters = build(n_heads)
    assert_overwrites(attention, parameters, random_vectors(2, 4, 6))


@heads
def test_float32_stays(n_heads: int) -> None:
    attention, parameters = build(n_heads, np.float32)
    assert_stays_float32(attention, parameters, random_vectors(2, 4, 6, dtype=np.float32))


@heads
def test_results_do_not_depend_on_the_shapes_before(n_heads: int) -> None:
    attention, parameters = build(n_heads)
    assert_forgets_shapes(attention, parameters, lambda b, t: random_vectors(b, t, 6))
