from typing import Any

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
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from tinychat.core.norm import NORMS, LayerNorm, RMSNorm
from tinychat.core.parameters import Parameters

KINDS: dict[str, dict[str, Any]] = {
    "layernorm": {},
    "layernorm without bias": {"bias": False},
    "rmsnorm": {"norm": "rmsnorm"},
}
kinds = pytest.mark.parametrize("kind", list(KINDS))
EPS = small_config().norm_eps


def build(
    kind: str = "layernorm", dtype: DTypeLike = np.float64, width: int | None = None, **changes: Any
) -> tuple[Any, Parameters]:
    config = small_config(**KINDS[kind], **changes)
    norm = NORMS[config.norm]
    parameters = randomise(Parameters(norm.specs(config, "norm", width), dtype))
    return norm(parameters.scope("norm"), config), parameters


def layer_norm(**changes: Any) -> LayerNorm:
    norm, _ = build(**changes)
    assert isinstance(norm, LayerNorm)
    return norm


@pytest.mark.parametrize("eps", [EPS, 0.5])
def test_layer_norm_is_the_definition(eps: float) -> None:
    norm = layer_norm(norm_eps=eps)
    x = 3 * random_vectors(2, 3, 6) + 1
    centred = x - x.mean(-1, keepdims=True)
    x_hat = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    np.testing.assert_allclose(norm.forward(x), x_hat * norm.gain + norm.bias, rtol=1e-12)
    without, _ = build("layernorm without bias", norm_eps=eps)
    assert without.bias is None
    np.testing.assert_allclose(without.forward(x), x_hat * without.gain, rtol=1e-12)


@pytest.mark.parametrize("eps", [EPS, 0.5])
def test_rms_norm_is_the_definition(eps: float) -> None:
    norm, _ = build("rmsnorm", norm_eps=eps)
    assert isinstance(norm, RMSNorm)
    x = 3 * random_vectors(2, 3, 6) + 1
    rms = np.sqrt((x**2).mean(-1, keepdims=True) + eps)
    np.testing.assert_allclose(norm.forward(x), x / rms * norm.gain, rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("layernorm", ["norm.gain", "norm.bias"]),
        ("layernorm without bias", ["norm.gain"]),
        ("rmsnorm", ["norm.gain"]),
    ],
)
@pytest.mark.parametrize("width", [None, 4])
def test_parameters(kind: str, names: list[str], width: int | None) -> None:
    _, parameters = build(kind, width=width)
    assert [spec.name for spec in parameters.specs] == names
    assert {spec.shape for spec in parameters.specs} == {(width or 6,)}
    parameters.initialise(np.random.default_rng(0))
    assert {name: set(view) for name, view in parameters.views(parameters.values)} == {
        name: {1.0 if name.endswith("gain") else 0.0} for name in names
    }


def test_without_gain_and_bias_every_vector_has_mean_0_and_variance_1() -> None:
    norm = layer_norm()
    assert norm.bias is not None
    norm.gain[...], norm.bias[...] = 1, 0
    y = norm.forward(50 * random_vectors(2, 3, 6) - 20)
    np.testing.assert_allclose(y.mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(-1), 1, rtol=1e-5)


def test_without_gain_the_mean_square_of_rms_norm_is_1() -> None:
    norm, _ = build("rmsnorm")
    norm.gain[...] = 1
    y = norm.forward(50 * random_vectors(2, 3, 6) - 20)
    np.testing.assert_allclose((y**2).mean(-1), 1, rtol=1e-5)


@settings(max_examples=50)
@given(shift=st.floats(-100, 100), scale=st.floats(0.5, 100))
def test_shift_and_scale_of_a_vector_do_not_matter(shift: float, scale: float) -> None:
    norm = layer_norm()
    x = random_vectors(2, 3, 6)
    plain = norm.forward(x).copy()
    # Not exactly: eps weighs more, the smaller the variance is.
    np.testing.assert_allclose(norm.forward(scale * x + shift), plain, rtol=1e-3, atol=1e-3)


@settings(max_examples=50)
@given(scale=st.floats(0.5, 100))
def test_scale_does_not_matter_to_rms_norm_and_shift_does(scale: float) -> None:
    norm, _ = build("rmsnorm")
    x = random_vectors(2, 3, 6)
    plain = norm.forward(x).copy()
    np.testing.assert_allclose(norm.forward(scale * x), plain, rtol=1e-3, atol=1e-3)
    assert np.abs(norm.forward(x + scale) - plain).max() > 0.1


def test_a_constant_vector_gives_the_bias() -> None:
    norm = layer_norm(dtype=np.float32)
    x = np.full((1, 2, 6), 2.5, np.float32)
    np.testing.assert_allclose(norm.forward(x), np.broadcast_to(norm.bias, x.shape), atol=1e-4)


def test_a_vector_of_zeros_stays_one_through_rms_norm() -> None:
    norm, _ = build("rmsnorm", np.float32)
    zeros = np.zeros((1, 2, 6), np.float32)
    np.testing.assert_array_equal(norm.forward(zeros), 0)
    assert np.isfinite(norm.backward(np.ones_like(zeros))).all()


@kinds
@pytest.mark.parametrize("shape", [(2, 3, 6), (2, 4, 3, 6)], ids=["vectors", "heads"])
def test_gradients(kind: str, shape: tuple[int, ...]) -> None:
    norm, parameters = build(kind)
    # sigma far from 1: a backward that mixes up raw and normalised inputs is right only there
    assert_gradients(norm, parameters, 4 * random_vectors(*shape) + 2)


@kinds
def test_gradients_of_another_width(kind: str) -> None:
    norm, parameters = build(kind, width=4)
    assert_gradients(norm, parameters, 4 * random_vectors(2, 3, 4) + 2)


@kinds
def test_gradients_where_eps_matters(kind: str) -> None:
    norm, parameters = build(kind)
    shift = 0 if kind == "rmsnorm" else 2  # whose mean square is far above eps if the shift is
    assert_gradients(norm, parameters, 3e-2 * random_vectors(2, 3, 6) + shift)
    norm, parameters = build(kind, norm_eps=0.5)
    assert_gradients(norm, parameters, random_vectors(2, 3, 6))


@kinds
def test_views_of_heads_that_lie_apart(kind: str) -> None:
    """The attention hands over parts of a wider array, its places before its heads."""
    part = random_vectors(2, 4, 5, 6)[:, :, 1:4].swapaxes(1, 2)
    (norm, parameters), (apart, others) = build(kind), build(kind)
    np.testing.assert_allclose(norm.forward(part), apart.forward(part.copy()), rtol=1e-14)
    np.testing.assert_allclose(norm.backward(part), apart.backward(part.copy()), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(parameters.grads, others.grads, rtol=1e-12)


@pytest.mark.parametrize("kind", ["layernorm", "layernorm without bias"])
def test_dx_is_orthogonal_to_shift(kind: str) -> None:
    """No shift of x moves y, so the entries of dx sum to 0 in every vector."""
    norm, _ = build(kind)
    norm.forward(4 * random_vectors(2, 3, 6))
    dx = norm.backward(random_vectors(2, 3, 6, seed=2))
    np.testing.assert_allclose(dx.sum(-1), 0, atol=1e-14)


@kinds
def test_backward_overwrites(kind: str) -> None:
    norm, parameters = build(kind)
    assert_overwrites(norm, parameters, random_vectors(2, 3, 6))


@kinds
def test_float32_stays(kind: str) -> None:
    norm, parameters = build(kind, np.float32)
    assert_stays_float32(norm, parameters, random_vectors(2, 3, 6, dtype=np.float32))


@kinds
def test_results_do_not_depend_on_the_shapes_before(kind: str) -> None:
    norm, parameters = build(kind)
    assert_forgets_shapes(norm, parameters, lambda b, t: random_vectors(b, t, 6))
