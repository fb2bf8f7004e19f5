import numpy as np
import pytest
from gradients import TOLERANCE, numeric_gradient, random_vectors, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinychat.core.parameters import Floats
from tinychat.core.softmax import row_sums, softmax_, softmax_backward_

score_arrays = arrays(
    np.float64, st.tuples(st.integers(1, 3), st.integers(1, 6)), elements=st.floats(-50, 50)
)


@settings(max_examples=100)
@given(score_arrays, st.floats(-1e3, 1e3))
def test_weights_are_a_distribution_that_a_shift_does_not_move(scores: Floats, shift: float) -> None:
    weights = softmax_(scores.copy())
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-12)
    np.testing.assert_allclose(softmax_(scores + shift), weights, rtol=1e-9, atol=1e-15)
    by_definition = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(weights, by_definition, rtol=1e-9)


def test_it_works_in_place() -> None:
    scores, weights = random_vectors(2, 3), softmax_(random_vectors(2, 3))
    assert softmax_(scores) is scores
    dweights = random_vectors(2, 3, seed=2)
    assert softmax_backward_(weights, dweights, np.empty_like(weights)) is dweights


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_scores_do_not_overflow(dtype: type[np.floating]) -> None:
    largest = np.finfo(dtype).max / 2
    weights = softmax_(np.array([[largest, largest, -largest, -np.inf]], dtype))
    assert weights.dtype == dtype
    np.testing.assert_allclose(weights, [[0.5, 0.5, 0, 0]])


def test_row_sums_keep_the_axis_and_the_dtype() -> None:
    x = random_vectors(2, 3, 4, dtype=np.float32)
    assert row_sums(x).dtype == np.float32
    np.testing.assert_allclose(row_sums(x), x.sum(-1, keepdims=True), rtol=1e-5, atol=1e-6)


def test_backward_against_differences() -> None:
    scores, dy = 2 * random_vectors(2, 3, 5), random_vectors(2, 3, 5, seed=2)
    weights = softmax_(scores.copy())
    kept = weights.copy()
    dscores = softmax_backward_(weights, dy.copy(), np.empty_like(dy))
    numeric = numeric_gradient(lambda: float((softmax_(scores.copy()) * dy).sum()), scores)
    assert relative_error(numeric, dscores) <= TOLERANCE
    np.testing.assert_array_equal(weights, kept)  # attention maps are read after the backward


def test_backward_of_a_masked_weight_is_0() -> None:
    weights = softmax_(np.array([[1.0, 2.0, -np.inf]]))
    dscores = softmax_backward_(weights, random_vectors(1, 3), np.empty((1, 3)))
    assert dscores[0, 2] == 0
    np.testing.assert_allclose(dscores.sum(), 0, atol=1e-15)
