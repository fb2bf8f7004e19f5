import math

import numpy as np
import pytest
from gradients import TOLERANCE, numeric_gradient, random_vectors, relative_error, small_batch
from hypothesis import given, settings
from hypothesis import strategies as st

from tinychat.config import IGNORE
from tinychat.core.loss import CrossEntropy, Loss
from tinychat.core.parameters import Floats, Ids


def by_the_definition(logits: Floats, targets: Ids) -> float:
    """Sum over the places that count."""
    total = 0.0
    for index in np.ndindex(targets.shape):
        if targets[index] != IGNORE:
            p = np.exp(logits[index]) / np.exp(logits[index]).sum()
            total -= math.log(p[targets[index]])
    return total


@pytest.fixture
def cross_entropy() -> CrossEntropy:
    return CrossEntropy(np.dtype(np.float64))


def test_forward_is_the_definition(cross_entropy: CrossEntropy) -> None:
    _, targets = small_batch()
    logits = 3 * random_vectors(2, 5, 7)
    kept = logits.copy()
    loss = cross_entropy.forward(logits, targets)
    assert loss.total == pytest.approx(by_the_definition(logits, targets), rel=1e-12)
    assert loss.tokens == 7
    assert loss.correct == sum(
        int(logits[i].argmax() == targets[i]) for i in np.ndindex(targets.shape) if targets[i] != IGNORE
    )
    assert loss.mean == loss.total / 7
    np.testing.assert_array_equal(logits, kept)  # they are shown after the loss was taken


def test_a_model_that_knows_nothing_is_surprised_by_log_of_the_vocabulary(
    cross_entropy: CrossEntropy,
) -> None:
    loss = cross_entropy.forward(np.zeros((2, 5, 7)), np.full((2, 5), 3))
    assert loss.mean == pytest.approx(math.log(7), rel=1e-14)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), ignored=st.integers(0, 5), shift=st.floats(-1e3, 1e3))
def test_total_count_and_shift(seed: int, ignored: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    logits, targets = 5 * rng.standard_normal((2, 3, 4)), rng.integers(0, 4, (2, 3))
    targets.ravel()[rng.permutation(6)[:ignored]] = IGNORE
    cross_entropy = CrossEntropy(np.dtype(np.float64))
    loss = cross_entropy.forward(logits, targets)
    assert loss.tokens == 6 - ignored
    assert 0 <= loss.correct <= loss.tokens
    assert loss.total == pytest.approx(by_the_definition(logits, targets), rel=1e-9, abs=1e-12)
    assert cross_entropy.forward(logits + shift, targets).total == pytest.approx(
        loss.total, rel=1e-9, abs=1e-9
    )


def test_gradient_is_that_of_the_mean(cross_entropy: CrossEntropy) -> None:
    _, targets = small_batch()
    logits = 2 * random_vectors(2, 5, 7)
    cross_entropy.forward(logits, targets)
    dlogits = cross_entropy.backward().copy()
    numeric = numeric_gradient(lambda: cross_entropy.forward(logits, targets).mean, logits)
    assert relative_error(numeric, dlogits) <= TOLERANCE
    np.testing.assert_array_equal(dlogits[targets == IGNORE], 0)
    np.testing.assert_allclose(dlogits.sum(-1), 0, atol=1e-15)


def test_ignored_places_do_not_matter_whatever_stands_there(cross_entropy: CrossEntropy) -> None:
    _, targets = small_batch()
    logits = random_vectors(2, 5, 7)
    loss = cross_entropy.forward(logits, targets)
    dlogits = cross_entropy.backward().copy()
    logits[targets == IGNORE] = 100 * random_vectors(3, 7, seed=9)
    assert cross_entropy.forward(logits, targets) == loss
    np.testing.assert_array_equal(cross_entropy.backward(), dlogits)


def test_nothing_counts(cross_entropy: CrossEntropy) -> None:
    loss = cross_entropy.forward(random_vectors(1, 3, 7), np.full((1, 3), IGNORE))
    assert loss == Loss(total=0.0, tokens=0, correct=0)
    assert loss.mean == 0
    np.testing.assert_array_equal(cross_entropy.backward(), 0)


def test_hopeless_and_certain_logits_stay_finite() -> None:
    cross_entropy = CrossEntropy(np.dtype(np.float32))
    logits = np.array([[[1e4, -1e4, 0], [1e4, -1e4, 0]]], np.float32)
    loss = cross_entropy.forward(logits, np.array([[1, 0]]))
    assert loss.total == pytest.approx(2e4)
    assert loss.correct == 1
    np.testing.assert_allclose(cross_entropy.backward(), [[[0.5, -0.5, 0], [0, 0, 0]]], atol=1e-7)


def test_losses_are_added_up() -> None:
    parts = [Loss(1.5, 3, 1), Loss(0.0, 0, 0), Loss(2.5, 1, 1)]
    assert Loss.sum(iter(parts)) == Loss(4.0, 4, 2)
    assert Loss.sum(parts).mean == 1.0
    assert Loss.sum([]) == Loss(0, 0, 0)


def test_nan_is_not_hidden() -> None:
    loss = CrossEntropy(np.dtype(np.float32)).forward(
        np.array([[[np.nan, 0, 0]]], np.float32), np.array([[1]])
    )
    assert math.isnan(loss.total)


def test_float32_stays() -> None:
    cross_entropy = CrossEntropy(np.dtype(np.float32))
    loss = cross_entropy.forward(random_vectors(2, 5, 7, dtype=np.float32), small_batch()[1])
    assert type(loss.total) is float
    assert type(loss.tokens) is type(loss.correct) is int
    assert cross_entropy.backward().dtype == np.float32


def test_results_do_not_depend_on_the_shapes_before(cross_entropy: CrossEntropy) -> None:
    def results(b: int, t: int) -> tuple[Loss, Floats]:
        targets = np.random.default_rng(3).integers(-1, 7, (b, t))
        return cross_entropy.forward(random_vectors(b, t, 7), targets), cross_entropy.backward().copy()

    loss, dlogits = results(2, 3)
    for B, T in ((1, 2), (3, 6), (2, 5)):
        results(B, T)
        again, dagain = results(2, 3)
        assert again == loss
        np.testing.assert_array_equal(dagain, dlogits)


def test_backward_with_probabilities_in_place_of_targets(cross_entropy: CrossEntropy) -> None:
    logits, targets = 2 * random_vectors(1, 4, 7), np.array([[3, 1, IGNORE, 6]])
    wanted = np.exp(random_vectors(4, 7))
    wanted /= wanted.sum(axis=1, keepdims=True)

    def loss(x: Floats) -> float:
        p = np.exp(x[0]) / np.exp(x[0]).sum(axis=1, keepdims=True)
        return float(-(wanted * np.log(p))[targets[0] != IGNORE].sum() / 3)

    numeric = numeric_gradient(lambda: loss(logits), logits)
    cross_entropy.forward(logits, targets)
    assert relative_error(cross_entropy.backward(wanted.copy()), numeric) < TOLERANCE
    certain = np.eye(7)[np.maximum(targets[0], 0)]
    cross_entropy.forward(logits, targets)
    with_targets = cross_entropy.backward().copy()
    cross_entropy.forward(logits, targets)
    np.testing.assert_allclose(cross_entropy.backward(certain), with_targets, atol=1e-15)
