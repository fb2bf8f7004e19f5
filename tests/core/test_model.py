import math

import numpy as np
import pytest
from gradients import (
    TOLERANCE,
    assert_forgets_shapes,
    assert_gradients,
    assert_overwrites,
    assert_stays_float32,
    numeric_gradient,
    relative_error,
    small_batch,
    small_config,
    small_model,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tinychat.config import IGNORE, ModelConfig
from tinychat.core.model import Transformer

heads = pytest.mark.parametrize("n_heads", [1, 2])


@heads
def test_gradients_of_a_random_upstream_gradient(n_heads: int) -> None:
    model = small_model(n_heads)
    assert_gradients(model, model.parameters, small_batch()[0])


@heads
def test_gradients_of_the_loss(n_heads: int) -> None:
    model = small_model(n_heads)
    ids, targets = small_batch()
    assert model.loss_and_gradients(ids, targets) == model.loss(ids, targets)
    analytic = dict(model.parameters.views(model.parameters.grads.copy()))
    numeric = numeric_gradient(lambda: model.loss(ids, targets).mean, model.parameters.values)
    for name, gradient in model.parameters.views(numeric):
        assert relative_error(gradient, analytic[name]) <= TOLERANCE, name


def test_the_gradient_of_a_batch_is_the_mean_of_its_rows_by_tokens() -> None:
    model = small_model(2)
    ids, targets = small_batch()
    grads = np.zeros_like(model.parameters.grads)
    totals = 0.0
    for b in range(2):
        loss = model.loss_and_gradients(ids[b : b + 1], targets[b : b + 1])
        grads += loss.tokens * model.parameters.grads
        totals += loss.total
    loss = model.loss_and_gradients(ids, targets)
    assert loss.total == pytest.approx(totals, rel=1e-12)
    np.testing.assert_allclose(model.parameters.grads, grads / loss.tokens, rtol=1e-9, atol=1e-14)


@heads
def test_backward_overwrites(n_heads: int) -> None:
    model = small_model(n_heads)
    assert_overwrites(model, model.parameters, small_batch()[0])


@heads
def test_float32_stays_and_agrees_with_float64(n_heads: int) -> None:
    model, exact = small_model(n_heads, np.float32), small_model(n_heads)
    exact.parameters.values[...] = model.parameters.values
    ids, targets = small_batch()
    assert_stays_float32(model, model.parameters, ids)
    for part in (model.embedding, model.output, *model.blocks):
        inner = vars(part).values() if part in model.blocks else (part,)
        for layer in inner:
            floats = [a for a in vars(layer).values() if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
            assert {array.dtype for array in floats} == {np.dtype(np.float32)}, layer
    loss = model.loss_and_gradients(ids, targets)
    assert loss.total == pytest.approx(exact.loss_and_gradients(ids, targets).total, rel=1e-5)
    assert relative_error(model.parameters.grads, exact.parameters.grads) < 1e-5


@heads
def test_results_do_not_depend_on_the_shapes_before(n_heads: int) -> None:
    model = small_model(n_heads)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 7, (6, 6))
    assert_forgets_shapes(model, model.parameters, lambda b, t: rows[:b, :t])


@heads
def test_a_later_token_does_not_change_earlier_logits(n_heads: int) -> None:
    model = small_model(n_heads)
    ids, _ = small_batch()
    before = model.forward(ids).copy()
    for t in range(1, 5):
        changed = ids.copy()
        changed[:, t:] = (changed[:, t:] + 1) % 7
        after = model.forward(changed)
        np.testing.assert_allclose(after[:, :t], before[:, :t], rtol=1e-11)
        assert np.abs(after[:, t] - before[:, t]).max() > 1e-3


@heads
def test_rows_of_a_batch_do_not_see_each_other(n_heads: int) -> None:
    model = small_model(n_heads)
    ids, _ = small_batch()
    together = model.forward(ids).copy()
    for b in range(2):
        np.testing.assert_allclose(model.forward(ids[b : b + 1])[0], together[b], rtol=1e-11)


@heads
@settings(max_examples=30, deadline=None, derandomize=True)
@given(pads=st.lists(st.integers(0, 6), min_size=1, max_size=2))
def test_padding_that_is_ignored_changes_nothing(n_heads: int, pads: list[int]) -> None:
    model = small_model(n_heads)
    ids, targets = (array[:, :4] for array in small_batch())
    loss = model.loss_and_gradients(ids, targets)
    grads = model.parameters.grads.copy()
    padded = model.loss_and_gradients(
        np.hstack([ids, np.tile(pads, (2, 1))]), np.hstack([targets, np.full((2, len(pads)), IGNORE)])
    )
    assert (padded.tokens, padded.correct) == (loss.tokens, loss.correct)
    assert padded.total == pytest.approx(loss.total, rel=1e-12)
    np.testing.assert_allclose(model.parameters.grads, grads, rtol=1e-9, atol=1e-14)


def test_the_classic_model_is_the_one_of_the_documents() -> None:
    config = ModelConfig(vocab_size=500)
    model = Transformer(config)
    V, D, F, T = 500, 128, 256, 80
    block = 3 * D * D + (D * F + F) + (F * D + D) + 2 * 2 * D
    assert model.n_parameters == V * D + T * D + 3 * block + D * V + V
    assert len(model.blocks) == config.n_layers == 3
    assert model.parameters.values.dtype == np.float32


def test_a_new_model_knows_nothing() -> None:
    model = Transformer(small_config())
    ids, targets = small_batch()
    assert model.loss(ids, targets).mean == pytest.approx(math.log(7), rel=1e-6)


def test_descending_the_gradient_lowers_the_loss() -> None:
    model = small_model(2)
    ids, targets = small_batch()
    before = model.loss_and_gradients(ids, targets).mean
    grads = model.parameters.grads
    slope = grads @ grads
    model.parameters.values -= 1e-4 * grads
    after = model.loss(ids, targets).mean
    assert before - after == pytest.approx(1e-4 * slope, rel=0.05)
