"""The normal distribution function, which NumPy does not have."""

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from tinychat.core.parameters import Floats
from tinychat.core.scratch import Scratch

_BLOCK = 1 << 15
"""Numbers that go through all steps before the next ones: they stay in the cache meanwhile."""


def normal_cdf(x: Floats, phi: Floats, bell: Floats, scratch: Scratch) -> None:
    """Write Phi(x) = erfc(-x / sqrt 2) / 2 to `phi` and exp(-x^2 / 2) to `bell`, both of the shape of x.

    Exact to the rounding of the dtype. For z = |x| / sqrt 2, erfc(z) exp(z^2) is a smooth function of
    t = 1 / (1 + z / 2) in (0, 1], so that a polynomial in t (here by Chebyshev interpolation) times exp(-z^2)
    gives both tails.
    """
    minus_half, half, one, two, slope, *coefficients = _constants(x.dtype)
    rows = x.reshape(-1, x.shape[-1])
    n = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), n):
        block = slice(start, start + n)
        part = rows[block]
        u, tail = scratch("u", *part.shape), scratch("tail", *part.shape)
        b, p = bell.reshape(rows.shape)[block], phi.reshape(rows.shape)[block]
        np.abs(part, out=u)
        u *= slope
        u += one
        np.divide(two, u, out=u)
        u -= one  # 2 t - 1, from -1 to 1
        np.multiply(u, coefficients[0], out=tail)
        tail += coefficients[1]
        for coefficient in coefficients[2:]:  # Horner's rule
            tail *= u
            tail += coefficient
        np.multiply(part, part, out=b)
        b *= minus_half
        np.exp(b, out=b)
        tail *= b  # erfc(z)
        np.multiply(tail, half, out=p)
        np.subtract(one, tail, out=tail)
        tail *= part > 0  # Phi(x) = 1 - Phi(-x)
        p += tail


@cache
def _constants(dtype: np.dtype[Any]) -> list[Floats]:
    """-1/2, 1/2, 1, 2, 1/2 sqrt(1/2), coefficients: as arrays, which NumPy takes up faster than numbers."""
    # Beyond these degrees nothing is gained, and the rounding of ever larger coefficients is added.
    degree = 24 if dtype == np.float64 else 9
    return [np.asarray(c, dtype) for c in (-0.5, 0.5, 1, 2, 0.5 * math.sqrt(0.5), *_tail_polynomial(degree))]


@cache
def _tail_polynomial(degree: int) -> list[float]:
    """Coefficients, highest first, of erfc(z) exp(z^2) as a polynomial in u = 2 t - 1."""
    points = chebyshev.chebpts1(degree + 1)
    values = [_erfcx(2 * (2 / (1 + u) - 1)) for u in points.tolist()]
    series = chebyshev.chebfit(points, np.array(values), degree)
    return [float(c) for c in chebyshev.cheb2poly(series)[::-1]]


def _erfcx(z: float) -> float:
    """erfc(z) exp(z^2), also where erfc alone is 0: there by its continued fraction."""
    if z < 5:
        return math.erfc(z) * math.exp(z * z)
    fraction = z
    for k in range(60, 0, -1):
        fraction = z + k / 2 / fraction
    return 1 / (fraction * math.sqrt(math.pi))
