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
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from tinychat.core.norm import EPS, LayerNorm
from tinychat.core.parameters import Parameters


def build(dtype: DTypeLike = np.float64) -> tuple[LayerNorm, Parameters]:
    parameters = randomise(Parameters(LayerNorm.specs(small_config(), "norm"), dtype))
    return LayerNorm(parameters.scope("norm")), parameters


def test_forward_is_the_definition() -> None:
    norm, _ = build()
    x = 3 * random_vectors(2, 3, 6) + 1
    centred = x - x.mean(-1, keepdims=True)
    x_hat = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPS)
    np.testing.assert_allclose(norm.forward(x), x_hat * norm.gain + norm.bias, rtol=1e-12)


def test_without_gain_and_bias_every_vector_has_mean_0_and_variance_1() -> None:
    norm, _ = build()
    norm.gain[...], norm.bias[...] = 1, 0
    y = norm.forward(50 * random_vectors(2, 3, 6) - 20)
    np.testing.assert_allclose(y.mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(-1), 1, rtol=1e-5)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(shift=st.floats(-100, 100), scale=st.floats(0.5, 100))
def test_shift_and_scale_of_a_vector_do_not_matter(shift: float, scale: float) -> None:
    norm, _ = build()
    x = random_vectors(2, 3, 6)
    plain = norm.forward(x).copy()
    # Not exactly: EPS weighs more, the smaller the variance is.
    np.testing.assert_allclose(norm.forward(scale * x + shift), plain, rtol=1e-3, atol=1e-3)


def test_a_constant_vector_gives_the_bias() -> None:
    norm, _ = build(np.float32)
    x = np.full((1, 2, 6), 2.5, np.float32)
    np.testing.assert_allclose(norm.forward(x), np.broadcast_to(norm.bias, x.shape), atol=1e-4)


def test_gradients() -> None:
    norm, parameters = build()
    # sigma far from 1: a backward that mixes up raw and normalised inputs is right only there
    assert_gradients(norm, parameters, 4 * random_vectors(2, 3, 6) + 2)


def test_gradients_where_eps_matters() -> None:
    norm, parameters = build()
    assert_gradients(norm, parameters, 3e-2 * random_vectors(2, 3, 6) + 2)


def test_dx_is_orthogonal_to_shift() -> None:
    """No shift of x moves y, so the entries of dx sum to 0 in every vector."""
    norm, _ = build()
    norm.forward(4 * random_vectors(2, 3, 6))
    dx = norm.backward(random_vectors(2, 3, 6, seed=2))
    np.testing.assert_allclose(dx.sum(-1), 0, atol=1e-14)


def test_backward_overwrites() -> None:
    norm, parameters = build()
    assert_overwrites(norm, parameters, random_vectors(2, 3, 6))


def test_float32_stays() -> None:
    norm, parameters = build(np.float32)
    assert_stays_float32(norm, parameters, random_vectors(2, 3, 6, dtype=np.float32))


def test_results_do_not_depend_on_the_shapes_before() -> None:
    norm, parameters = build()
    assert_forgets_shapes(norm, parameters, lambda b, t: random_vectors(b, t, 6))
