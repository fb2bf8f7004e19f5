import numpy as np
import pytest
from gradients import (
    assert_forgets_shapes,
    assert_gradients,
    assert_stays_float32,
    random_vectors,
    relative_error,
)
from numpy.typing import DTypeLike

from tinychat.core.parameters import Floats, Parameters
from tinychat.core.rotary import Rotary

thetas = pytest.mark.parametrize("theta", [10_000.0, 30.0])


def build(theta: float = 30.0, dtype: DTypeLike = np.float64, max_seq_len: int = 9) -> Rotary:
    return Rotary(max_seq_len, 6, theta, dtype)


def by_the_definition(x: Floats, theta: float) -> Floats:
    """Numbers i and i + E/2 are one complex number, and it is turned by t theta^(-2 i / E)."""
    *_, T, E = x.shape
    z = x[..., : E // 2] + 1j * x[..., E // 2 :]
    for t, i in np.ndindex(T, E // 2):
        z[..., t, i] *= np.exp(1j * t / theta ** (2 * i / E))
    return np.concatenate([z.real, z.imag], axis=-1)


@thetas
def test_forward_is_the_definition(theta: float) -> None:
    x = random_vectors(2, 3, 9, 6)
    y = build(theta).forward(x)
    np.testing.assert_allclose(y, by_the_definition(x, theta), rtol=1e-12, atol=1e-14)


def test_the_first_place_is_not_turned() -> None:
    x = random_vectors(2, 3, 4, 6)
    np.testing.assert_array_equal(build().forward(x)[:, :, 0], x[:, :, 0])


@thetas
def test_scores_depend_on_the_distance_only(theta: float) -> None:
    q, k = (np.broadcast_to(random_vectors(6, seed=seed), (1, 1, 9, 6)) for seed in (1, 2))
    scores = build(theta).forward(q)[0, 0] @ build(theta).forward(k)[0, 0].T
    for distance in range(-8, 9):
        same = np.diagonal(scores, distance)
        np.testing.assert_allclose(same, same[0], rtol=1e-12)
    assert np.diff(scores[:, 0]).min() != 0  # and they do depend on it


def test_lengths_are_kept() -> None:
    x = random_vectors(2, 3, 9, 6)
    y = build().forward(x)
    np.testing.assert_allclose(np.linalg.norm(y, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-14)


def test_gradient() -> None:
    assert_gradients(build(), Parameters([]), random_vectors(2, 3, 4, 6))


def test_backward_turns_back() -> None:
    rotary = build()
    x = random_vectors(2, 3, 9, 6)
    np.testing.assert_allclose(rotary.backward(rotary.forward(x)), x, rtol=1e-13)


def test_views_of_heads_that_lie_apart() -> None:
    """The attention hands over parts of a wider array, its places before its heads."""
    wide = random_vectors(2, 4, 5, 6)
    part = wide[:, :, 1:4].swapaxes(1, 2)
    rotary, apart = build(), build()
    np.testing.assert_array_equal(rotary.forward(part), apart.forward(part.copy()))
    np.testing.assert_array_equal(rotary.backward(part), apart.backward(part.copy()))


def test_far_places_are_right_in_float32() -> None:
    """Angles are taken in float64: rounded to float32, one of 4,000 would be off by 1e-4."""
    x = random_vectors(1, 1, 4000, 6, dtype=np.float32)
    y = build(10_000.0, np.float32, 4000).forward(x)
    assert relative_error(y[:, :, -9:], by_the_definition(x.astype(np.float64), 10_000.0)[:, :, -9:]) < 1e-7


def test_float32_stays() -> None:
    assert_stays_float32(
        build(dtype=np.float32), Parameters([]), random_vectors(2, 3, 4, 6, dtype=np.float32)
    )


def test_results_do_not_depend_on_the_shapes_before() -> None:
    assert_forgets_shapes(build(), Parameters([]), lambda b, t: random_vectors(b, 2, t, 6))
