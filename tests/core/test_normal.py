import math

import numpy as np
import pytest
from numpy.typing import DTypeLike

from tinychat.core.normal import normal_cdf
from tinychat.core.parameters import Floats
from tinychat.core.scratch import Scratch

FAR = np.array([-600.0, -40.0, -9.0, -1e-30, 0.0, 1e-30, 9.0, 40.0, 600.0])


def cdf_and_bell(x: Floats) -> tuple[Floats, Floats]:
    cdf, bell = np.full_like(x, 7), np.full_like(x, 7)
    normal_cdf(x, cdf, bell, Scratch(x.dtype))
    return cdf, bell


def cdf(x: Floats) -> Floats:
    return cdf_and_bell(x)[0]


def phi(x: Floats) -> Floats:
    return np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in x.tolist()])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normal_cdf_is_exact_to_the_rounding(dtype: DTypeLike) -> None:
    x = np.concatenate([np.linspace(-12, 12, 4001), np.linspace(-1e-3, 1e-3, 101), FAR]).astype(dtype)
    got, wanted, eps = cdf(x), phi(x), np.finfo(dtype).eps
    assert got.dtype == dtype
    np.testing.assert_allclose(got, wanted, rtol=0, atol=10 * eps)
    # The exponent of exp(-x^2 / 2) is rounded too, so what is lost of a tail grows with x^2; and yet a
    # chance of 1e-32 has all but two of its digits.
    tail = (x < 0) & (x > -12)
    off = np.abs(got[tail] / wanted[tail] - 1)
    assert (off <= 20 * eps * (1 + x[tail] ** 2 / 2)).all()


def test_normal_cdf_of_what_is_no_number_is_none() -> None:
    x = np.array([np.nan, -np.inf, np.inf])
    np.testing.assert_array_equal(cdf(x), [np.nan, 0, 1])


def test_normal_cdf_rises_and_is_symmetric() -> None:
    x = np.linspace(-8, 8, 2001)
    got = cdf(x)
    assert (np.diff(got) >= -1e-14).all()
    np.testing.assert_allclose(got + got[::-1], 1, rtol=1e-14)


@pytest.mark.parametrize("shape", [(1,), (9001,), (3, 4111), (2, 3, 5), (2, 3000, 5)])
def test_any_shape_in_one_piece_or_in_many(shape: tuple[int, ...]) -> None:
    x = 3 * np.random.default_rng(0).standard_normal(shape)
    got, bell = cdf_and_bell(x)
    np.testing.assert_allclose(got.ravel(), phi(x.ravel()), rtol=1e-12)
    np.testing.assert_allclose(bell, np.exp(-x * x / 2), rtol=1e-12)


def test_columns_of_a_wider_array() -> None:
    wide = 3 * np.random.default_rng(0).standard_normal((5, 10))
    np.testing.assert_array_equal(cdf(wide[:, 2:7]), cdf(wide[:, 2:7].copy()))
