"""Softmax over the last axis, in place."""

from functools import cache
from typing import Any

import numpy as np

from tinychat.core.parameters import Floats


def softmax_(scores: Floats) -> Floats:
    """Turn scores of shape (..., n) into weights that sum to 1: exp(s) / sum exp(s), without overflow.

    exp(s - max) / sum exp(s - max) is the same value, and no exponent is above 0.
    """
    scores -= np.maximum.reduce(scores, axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= row_sums(scores)
    return scores


def row_sums(x: Floats) -> Floats:
    """Sums over the last axis, which stays with length 1. The product is much faster than ndarray.sum."""
    return x @ _ones(x.shape[-1], x.dtype)


@cache
def _ones(n: int, dtype: np.dtype[Any]) -> Floats:
    return np.ones((n, 1), dtype)


def softmax_backward_(weights: Floats, dweights: Floats, work: Floats) -> Floats:
    """Turn dweights of shape (..., n) into dscores, in place; `work` of that shape is overwritten.

    weights_i = exp(s_i) / Z gives d weights_i / d s_j = weights_i * ([i = j] - weights_j), so
    dscores = weights * (dweights - sum(dweights * weights)), the sum over the last axis.
    """
    dweights -= row_sums(np.multiply(dweights, weights, out=work))
    dweights *= weights
    return dweights
