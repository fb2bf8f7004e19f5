import numpy as np
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

from tinychat.core.feed_forward import FeedForward
from tinychat.core.parameters import Parameters


def build(dtype: DTypeLike = np.float64) -> tuple[FeedForward, Parameters]:
    parameters = randomise(Parameters(FeedForward.specs(small_config(), "feed_forward"), dtype))
    return FeedForward(parameters.scope("feed_forward")), parameters


def test_forward_is_the_definition() -> None:
    ff, _ = build()
    x = random_vectors(2, 3, 6)
    a = x @ ff.w_up + ff.b_up
    assert 0.2 < (a > 0).mean() < 0.8  # both sides of the ReLU are in the case
    np.testing.assert_allclose(ff.forward(x), np.where(a > 0, a, 0) @ ff.w_down + ff.b_down, rtol=1e-12)


def test_gradients() -> None:
    ff, parameters = build()
    x = random_vectors(2, 3, 6)
    # A difference across the corner of the ReLU would be no derivative.
    assert np.abs(x @ ff.w_up + ff.b_up).min() > 1e-3
    assert_gradients(ff, parameters, x)


def test_a_hidden_unit_that_is_off_passes_no_gradient() -> None:
    ff, parameters = build()
    ff.b_up[2] = -100
    ff.forward(random_vectors(2, 3, 6))
    ff.backward(random_vectors(2, 3, 6, seed=2))
    np.testing.assert_array_equal(ff.dw_up[:, 2], 0)
    np.testing.assert_array_equal(ff.dw_down[2], 0)
    assert ff.db_up[2] == 0
    assert np.abs(parameters.grads).max() > 0


def test_backward_overwrites() -> None:
    ff, parameters = build()
    assert_overwrites(ff, parameters, random_vectors(2, 3, 6))


def test_float32_stays() -> None:
    ff, parameters = build(np.float32)
    assert_stays_float32(ff, parameters, random_vectors(2, 3, 6, dtype=np.float32))


def test_results_do_not_depend_on_the_shapes_before() -> None:
    ff, parameters = build()
    assert_forgets_shapes(ff, parameters, lambda b, t: random_vectors(b, t, 6))
