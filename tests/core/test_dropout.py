import numpy as np
import pytest
from gradients import Redrawn, assert_forgets_shapes, assert_gradients, assert_stays_float32, random_vectors
from numpy.typing import DTypeLike

from tinychat.core.dropout import Draws, Dropout
from tinychat.core.parameters import Parameters

rates = pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])


def build(rate: float, dtype: DTypeLike = np.float64, seed: int | None = 0) -> Dropout:
    draws = Draws()
    draws.rng = None if seed is None else np.random.default_rng(seed)
    return Dropout(rate, draws, dtype)


@rates
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_share_that_is_dropped_is_the_rate_and_the_mean_stays(rate: float, dtype: DTypeLike) -> None:
    y = build(rate, dtype).forward(np.ones((100, 1000), dtype))
    assert y.dtype == dtype
    np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - rate)], rtol=1e-6)
    # Four standard deviations of a mean of 100,000 numbers.
    assert (y == 0).mean() == pytest.approx(rate, abs=4 * (rate * (1 - rate) / 1e5) ** 0.5)
    assert y.mean(dtype=np.float64) == pytest.approx(1, abs=4 * (rate / (1 - rate) / 1e5) ** 0.5)


def test_what_is_dropped_in_one_row_or_column_says_nothing_of_the_next() -> None:
    dropped = build(0.5).forward(np.ones((300, 300))) == 0
    for axis in (0, 1):
        assert dropped.mean(axis=axis).std() == pytest.approx(0.5 / 300**0.5, rel=0.2)
    assert (dropped[1:] == dropped[:-1]).mean() == pytest.approx(0.5, abs=0.01)


def test_backward_takes_the_same_mask() -> None:
    dropout = build(0.4)
    x, dy = random_vectors(20, 30), random_vectors(20, 30, seed=2)
    given = x.copy(), dy.copy()
    y = dropout.forward(x).copy()
    dx = dropout.backward(dy)
    np.testing.assert_allclose(y, np.where(y == 0, 0, x / 0.6), rtol=1e-14)
    np.testing.assert_allclose(dx, np.where(y == 0, 0, dy / 0.6), rtol=1e-14)
    np.testing.assert_array_equal((x, dy), given)


def test_gradient() -> None:
    dropout = build(0.4)
    assert_gradients(Redrawn(dropout, dropout._draws), Parameters([]), random_vectors(4, 6))


@pytest.mark.parametrize(("rate", "seed"), [(0.5, None), (0.0, 0)], ids=["outside training", "rate 0"])
def test_off(rate: float, seed: int | None) -> None:
    dropout = build(rate, seed=seed)
    x = random_vectors(2, 3)
    assert dropout.forward(x) is x
    assert dropout.backward(x) is x


def test_a_rate_of_0_draws_nothing() -> None:
    draws = Draws()
    draws.rng = np.random.default_rng(0)
    before = draws.rng.bit_generator.state
    Dropout(0.0, draws, np.float64).forward(random_vectors(2, 3))
    assert draws.rng.bit_generator.state == before


def test_after_training_no_old_mask_is_left() -> None:
    dropout = build(0.5)
    x = random_vectors(2, 3)
    dropout.forward(x)
    dropout._draws.rng = None
    dropout.forward(x)
    assert dropout.backward(x) is x


def test_the_generator_alone_decides() -> None:
    x = random_vectors(20, 30)

    def drawn(seed: int) -> bytes:
        dropout = build(0.5, seed=seed)
        return b"".join(dropout.forward(x).tobytes() for _ in range(2))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert drawn(1)[: x.nbytes] != drawn(1)[x.nbytes :]  # every forward drops something else


def test_float32_stays() -> None:
    assert_stays_float32(build(0.5, np.float32), Parameters([]), random_vectors(3, 4, dtype=np.float32))


def test_results_do_not_depend_on_the_shapes_before() -> None:
    dropout = build(0.5)
    assert_forgets_shapes(
        Redrawn(dropout, dropout._draws), Parameters([]), lambda b, t: random_vectors(b, t, 6)
    )
