import math
from collections.abc import Callable

import numpy as np
import pytest
from gradients import (
    TOLERANCE,
    assert_forgets_shapes,
    assert_stays_float32,
    numeric_gradient,
    random_vectors,
    relative_error,
)
from numpy.typing import DTypeLike

from tinychat.core.activation import ACTIVATIONS
from tinychat.core.parameters import Floats, Parameters

DEFINITIONS: dict[str, Callable[[float], float]] = {
    "relu": lambda x: max(x, 0.0),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "gelu_tanh": lambda x: x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    "silu": lambda x: x / (1 + math.exp(-x)),
}
each = pytest.mark.parametrize("name", list(DEFINITIONS))
FAR = np.array([-600.0, -40.0, -9.0, -1e-30, 0.0, 1e-30, 9.0, 40.0, 600.0])


def by_the_definition(name: str, x: Floats) -> Floats:
    return np.array([DEFINITIONS[name](value) for value in x.ravel().tolist()]).reshape(x.shape)


def test_every_activation_is_tried() -> None:
    assert ACTIVATIONS.keys() == DEFINITIONS.keys()


@each
def test_forward_is_the_definition(name: str) -> None:
    x = 4 * random_vectors(50, 7)
    np.testing.assert_allclose(
        ACTIVATIONS[name](np.float64).forward(x), by_the_definition(name, x), rtol=1e-12, atol=1e-14
    )


@each
def test_forward_in_float32(name: str) -> None:
    x = 4 * random_vectors(50, 7, dtype=np.float32)
    y = ACTIVATIONS[name](np.float32).forward(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, by_the_definition(name, x), rtol=4e-7, atol=4e-7)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_far_from_0_are_passed_or_stopped(name: str, dtype: DTypeLike) -> None:
    activation = ACTIVATIONS[name](dtype)
    x = FAR.astype(dtype)
    with np.errstate(all="raise", under="ignore"):
        y = activation.forward(x).copy()
        dx = activation.backward(np.ones_like(x))
    np.testing.assert_allclose(y, by_the_definition(name, x), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(dx[[0, 1]], 0, atol=1e-6)
    np.testing.assert_allclose(dx[[-2, -1]], 1, atol=1e-6)


@each
def test_gradient(name: str) -> None:
    x, dy = 2 * random_vectors(5, 7), random_vectors(5, 7, seed=2)
    assert np.abs(x).min() > 1e-3  # a difference across the corner of the ReLU would be no derivative
    activation = ACTIVATIONS[name](np.float64)
    activation.forward(x)
    given = x.copy(), dy.copy()
    dx = activation.backward(dy).copy()
    np.testing.assert_array_equal((x, dy), given)
    numeric = numeric_gradient(lambda: float((activation.forward(x) * dy).sum()), x)
    assert relative_error(numeric, dx) <= 1e-3 * TOLERANCE


@each
def test_gradient_of_a_part_of_a_wider_array(name: str) -> None:
    """The gated feed-forward hands over one half of its columns."""
    wide, dy = random_vectors(4, 10), random_vectors(4, 5, seed=2)
    activation, apart = ACTIVATIONS[name](np.float64), ACTIVATIONS[name](np.float64)
    np.testing.assert_array_equal(activation.forward(wide[:, :5]), apart.forward(wide[:, :5].copy()))
    np.testing.assert_array_equal(activation.backward(dy), apart.backward(dy))


@each
def test_float32_stays(name: str) -> None:
    activation = ACTIVATIONS[name](np.float32)
    assert_stays_float32(activation, Parameters([]), random_vectors(3, 4, dtype=np.float32))


@each
def test_results_do_not_depend_on_the_shapes_before(name: str) -> None:
    assert_forgets_shapes(ACTIVATIONS[name](np.float64), Parameters([]), lambda b, t: random_vectors(b, t))
