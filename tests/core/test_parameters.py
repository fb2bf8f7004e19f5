import numpy as np
import pytest

from tinychat.core.model import Transformer
from tinychat.core.parameters import Parameters, ParameterSpec, he

SPECS = (
    ParameterSpec("a.w", (40, 50), std=0.5),
    ParameterSpec("a.gain", (3,), mean=1.0),
    ParameterSpec("b.w", (30, 100), std=0.02, mean=2.0),
    ParameterSpec("b.bias", (4,)),
)


def test_views_tile_the_flat_vectors_in_order() -> None:
    parameters = Parameters(SPECS)
    assert parameters.values.shape == parameters.grads.shape == (2000 + 3 + 3000 + 4,)
    for flat, of in ((parameters.values, "__getitem__"), (parameters.grads, "grad")):
        flat[...] = np.arange(flat.size)
        start = 0
        for spec in SPECS:
            scope, _, name = spec.name.partition(".")
            view = getattr(parameters.scope(scope), of)(name)
            assert view.shape == spec.shape
            assert np.shares_memory(view, flat)
            np.testing.assert_array_equal(view.ravel(), np.arange(start, start + spec.size))
            start += spec.size
        assert start == flat.size
    assert not np.shares_memory(parameters.values, parameters.grads)


def test_views_of_another_vector() -> None:
    parameters = Parameters(SPECS)
    other = np.arange(parameters.values.size)
    views = dict(parameters.views(other))
    assert list(views) == [spec.name for spec in SPECS]
    assert views["a.gain"].tolist() == [2000, 2001, 2002]
    views["b.bias"][...] = -1
    assert other[-4:].tolist() == [-1] * 4


def test_writing_in_place_is_seen_through_the_views() -> None:
    parameters = Parameters(SPECS).initialise(np.random.default_rng(0))
    gain = parameters.scope("a")["gain"]
    parameters.values -= 0.25
    assert gain.tolist() == [0.75] * 3
    gain += 1
    assert parameters.values[2000:2003].tolist() == [1.75] * 3


def test_a_scope_is_a_whole_name_and_not_a_beginning() -> None:
    parameters = Parameters([ParameterSpec("norm1.1.gain", (2,)), ParameterSpec("norm1.10.gain", (3,))])
    assert parameters.scope("norm1.1")["gain"].shape == (2,)
    with pytest.raises(KeyError):
        parameters.scope("norm1.1")["0.gain"]
    with pytest.raises(KeyError):
        parameters.scope("norm1").grad("gain")


def test_initial_distributions() -> None:
    parameters = Parameters(SPECS).initialise(np.random.default_rng(0))
    a, b = parameters.scope("a"), parameters.scope("b")
    assert a["w"].std() == pytest.approx(0.5, rel=0.05)
    assert abs(a["w"].mean()) < 0.05
    assert b["w"].std() == pytest.approx(0.02, rel=0.05)
    assert b["w"].mean() == pytest.approx(2, abs=0.002)
    assert a["gain"].tolist() == [1.0] * 3
    assert b["bias"].tolist() == [0.0] * 4


def test_the_generator_alone_decides() -> None:
    def drawn(seed: int) -> bytes:
        return Parameters(SPECS).initialise(np.random.default_rng(seed)).values.tobytes()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    parameters = Parameters(SPECS)
    parameters.values[...] = 7  # what was there before leaves no trace
    assert parameters.initialise(np.random.default_rng(1)).values.tobytes() == drawn(1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_the_given_and_the_numbers_are_those_of_float32(dtype: type[np.floating]) -> None:
    parameters = Parameters(SPECS, dtype).initialise(np.random.default_rng(0))
    assert parameters.values.dtype == parameters.grads.dtype == dtype
    single = Parameters(SPECS).initialise(np.random.default_rng(0))
    np.testing.assert_array_equal(parameters.values.astype(np.float32), single.values)


def test_values_may_be_those_of_another() -> None:
    one = Parameters(SPECS, np.float64).initialise(np.random.default_rng(0))
    other = Parameters(SPECS, values=one.values)
    assert other.values is one.values
    assert other.grads.dtype == np.float64
    assert not np.shares_memory(other.grads, one.grads)
    other.scope("a")["gain"][...] = 3
    assert one.scope("a")["gain"].tolist() == [3] * 3


def test_a_scope_knows_what_not_every_config_has_and_what_is_inside() -> None:
    parameters = Parameters([ParameterSpec("a.w", (2,)), ParameterSpec("a.inner.b", (3,))])
    scope = parameters.scope("a")
    value, grad = scope.optional("w")
    assert value is scope["w"]
    assert grad is scope.grad("w")
    assert scope.optional("b") == (None, None)
    assert scope.inner("inner")["b"] is parameters.scope("a.inner")["b"]


def test_he_keeps_the_variance_through_a_relu() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 64))
    y = np.maximum(x @ (he(64) * rng.standard_normal((64, 64))), 0)
    assert (y**2).mean() == pytest.approx(1, rel=0.1)


def test_names_of_a_transformer_are_unique() -> None:
    from gradients import small_config

    names = [spec.name for spec in Transformer.specs(small_config())]
    assert len(set(names)) == len(names)
