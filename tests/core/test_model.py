"""None"""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from family import FAMILY, TOGETHER, VALUES
from gradients import (
    TOLERANCE,
    Redrawn,
    assert_forgets_shapes,
    assert_overwrites,
    assert_slopes,
    assert_stays_float32,
    has_no_effect,
    model_of,
    numeric_gradient,
    parts,
    relative_error,
    small_batch,
    small_config,
    small_model,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tinychat.config import IGNORE
from tinychat.core.loss import CrossEntropy
from tinychat.core.model import Transformer

heads = pytest.mark.parametrize("n_heads", [1, 2])
family = pytest.mark.parametrize("name", list(FAMILY))
some = pytest.mark.parametrize("name", ["default", "gpt2", "llama", "gemma3"])
TARGETS = {
    "some count": small_batch()[1],
    "all count": np.maximum(small_batch()[1], 0),
    "one counts": np.array([[IGNORE] * 5, [IGNORE, IGNORE, 4, IGNORE, IGNORE]]),
}


def test_every_value_is_among_the_combinations() -> None:
    drawn = [
        {**values, "heads": tuple(values[name] for name in ("n_heads", "n_kv_heads", "head_dim"))}
        for values in TOGETHER.values()
    ]
    for field, wanted in VALUES.items():
        assert {values[field] for values in drawn} == set(wanted), field
    assert len(drawn) >= 12


@family
def test_gradients_of_a_random_upstream_gradient(name: str) -> None:
    model = model_of(FAMILY[name])
    # With dropout too, where there is some.
    assert_slopes(Redrawn(model, model.draws), model.parameters, small_batch()[0], model.config)


@some
def test_gradients_of_the_loss(name: str) -> None:
    model = model_of(FAMILY[name])
    ids, targets = small_batch()
    assert model.loss_and_gradients(ids, targets) == model.loss(ids, targets)
    analytic = dict(parts(model.parameters, model.parameters.grads.copy(), model.config))
    numeric = numeric_gradient(lambda: model.loss(ids, targets).mean, model.parameters.values)
    for part, gradient in parts(model.parameters, numeric, model.config):
        if has_no_effect(part, model.config):
            assert max(np.abs(gradient).max(), np.abs(analytic[part]).max()) < 1e-9, part
        else:
            assert relative_error(gradient, analytic[part]) <= TOLERANCE, part


@family
def test_the_loss_is_that_of_all_logits(name: str) -> None:
    """Logits of places that do not count are never made; that changes neither the loss nor a gradient."""
    ids = small_batch()[0]
    for kind, targets in TARGETS.items():
        model = model_of(FAMILY[name])
        cross_entropy = CrossEntropy(np.dtype(np.float64))
        model.draws.rng = np.random.default_rng(5)
        wanted = cross_entropy.forward(model.forward(ids), targets)
        model.backward(cross_entropy.backward())
        grads = model.parameters.grads.copy()
        model.parameters.grads[...] = np.nan
        loss = model.loss_and_gradients(ids, targets, np.random.default_rng(5))
        assert (loss.tokens, loss.correct) == (wanted.tokens, wanted.correct), kind
        assert loss.total == pytest.approx(wanted.total, rel=1e-12), kind
        np.testing.assert_allclose(model.parameters.grads, grads, rtol=1e-9, atol=1e-13, err_msg=kind)


@family
def test_nothing_counts(name: str) -> None:
    model, ids = model_of(FAMILY[name]), small_batch()[0]
    model.parameters.grads[...] = np.nan
    nothing = np.full_like(ids, IGNORE)
    for loss in (model.loss_and_gradients(ids, nothing, np.random.default_rng(5)), model.loss(ids, nothing)):
        assert (loss.total, loss.tokens, loss.correct, loss.mean) == (0, 0, 0, 0)
    np.testing.assert_array_equal(model.parameters.grads, 0)


def test_dropout_is_on_only_where_it_is_given_a_generator() -> None:
    model = model_of(FAMILY["dropout"])
    ids, targets = small_batch()
    plain = model.loss(ids, targets).total
    assert model.loss_and_gradients(ids, targets).total == plain
    dropped = [
        model.loss_and_gradients(ids, targets, np.random.default_rng(seed)).total for seed in (1, 1, 2)
    ]
    assert dropped[0] == dropped[1]
    assert len({plain, *dropped}) == 3
    assert model.loss(ids, targets).total == plain  # off again
    rng = np.random.default_rng(1)
    one_generator = [model.loss_and_gradients(ids, targets, rng).total for _ in range(2)]
    assert one_generator[0] == dropped[0] != one_generator[1]


def test_weights_are_read_stage_by_stage() -> None:
    model, (ids, targets) = small_model(), small_batch()
    wanted = model.loss_and_gradients(ids, targets), model.parameters.grads.copy()
    values = model.parameters.values.copy()
    later = {f".{number}." for number in range(len(model.blocks))} | {"norm.gain", "output."}
    stages, n_reads = [], model.n_reads

    def fill(stage: int) -> None:
        """Only now may the weights of the stage be there."""
        stages.append(stage)
        part = f".{stage - 1}." if stage <= len(model.blocks) else "output."
        for (name, view), (_, whole) in zip(
            model.parameters.views(model.parameters.values), model.parameters.views(values), strict=True
        ):
            if part in name or (part == "output." and name.startswith("norm.")):
                view[...] = whole

    for name, view in model.parameters.views(model.parameters.values):
        if any(part in name for part in later):
            view[...] = np.nan
    model.before_stage = fill
    loss = model.loss(ids, targets)
    assert stages == list(range(1, len(model.blocks) + 2))
    assert model.n_reads == n_reads + 1
    model.gradients()
    assert model.n_reads == n_reads + 1
    assert loss == wanted[0]
    np.testing.assert_array_equal(model.parameters.grads, wanted[1])


def test_dropout_is_off_again_after_an_error() -> None:
    model = model_of(FAMILY["dropout"])
    ids, targets = small_batch()
    with pytest.raises(ValueError, match="reshape"):
        model.loss_and_gradients(ids, targets[:, :3], np.random.default_rng(0))
    assert model.draws.rng is None


def test_every_kind_of_dropout_draws_its_own_numbers() -> None:
    model = model_of(small_config(dropout=0.5, d_ff=5))
    model.draws.rng = np.random.default_rng(0)
    model.forward(small_batch()[0])
    layers = [
        model.embedding.dropout,
        *(layer.dropout for block in model.blocks for layer in (block.attention, block.feed_forward)),
    ]
    masks = [layer.mask for layer in layers]
    assert [None if mask is None else mask.shape for mask in masks] == [
        (2, 5, 6),
        *[(2, 1, 5, 5), (2, 5, 6)] * 2,
    ]
    assert len({mask.ravel()[:50].tobytes() for mask in masks if mask is not None}) == 5


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


@family
def test_backward_overwrites(name: str) -> None:
    model = model_of(FAMILY[name])
    assert_overwrites(Redrawn(model, model.draws), model.parameters, small_batch()[0])


def arrays_in(thing: object) -> Iterator[np.ndarray]:
    """All arrays that an object keeps, and the layers inside it, and those inside them."""
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, list | tuple | dict):
        for item in thing.values() if isinstance(thing, dict) else thing:
            yield from arrays_in(item)
    elif type(thing).__module__.startswith("tinychat."):
        for item in getattr(thing, "__dict__", {}).values():
            yield from arrays_in(item)


@family
def test_float32_stays_and_agrees_with_float64(name: str) -> None:
    model, exact = model_of(FAMILY[name], np.float32), model_of(FAMILY[name])
    exact.parameters.values[...] = model.parameters.values
    ids, targets = small_batch()
    assert_stays_float32(model, model.parameters, ids)
    loss = model.loss_and_gradients(ids, targets)
    floats = [array for array in arrays_in(model) if array.dtype.kind == "f"]
    assert len(floats) > 60
    assert {array.dtype for array in floats} == {np.dtype(np.float32)}
    assert loss.total == pytest.approx(exact.loss_and_gradients(ids, targets).total, rel=1e-5)
    assert relative_error(model.parameters.grads, exact.parameters.grads) < 1e-5


@family
def test_results_do_not_depend_on_the_shapes_before(name: str) -> None:
    model = model_of(FAMILY[name])
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 7, (6, 6))
    assert_forgets_shapes(Redrawn(model, model.draws), model.parameters, lambda b, t: rows[:b, :t])


@family
def test_a_later_token_does_not_change_earlier_logits(name: str) -> None:
    model = model_of(FAMILY[name])
    ids, _ = small_batch()
    before = model.forward(ids).copy()
    for t in range(1, 5):
        changed = ids.copy()
        changed[:, t:] = (changed[:, t:] + 1) % 7
        after = model.forward(changed)
        np.testing.assert_allclose(after[:, :t], before[:, :t], rtol=1e-11)
        assert np.abs(after[:, t] - before[:, t]).max() > 1e-3


@some
def test_a_model_that_shares_weights_has_gradients_and_work_arrays_of_its_own(name: str) -> None:
    model = model_of(FAMILY[name])
    other = Transformer(model.config, values=model.parameters.values)
    assert other.parameters.values is model.parameters.values
    ids, targets = small_batch()
    loss = model.loss_and_gradients(ids, targets)
    grads = model.parameters.grads.copy()
    assert other.loss_and_gradients(ids[:, :3], targets[:, :3]).total != loss.total
    np.testing.assert_array_equal(model.parameters.grads, grads)
    assert other.loss_and_gradients(ids, targets) == loss
    np.testing.assert_array_equal(other.parameters.grads, grads)
    mine, others = (
        [array for array in arrays_in(each) if array.dtype.kind == "f"] for each in (model, other)
    )
    shared = [a for a in mine if any(np.may_share_memory(a, b) for b in others)]
    assert all(np.may_share_memory(array, model.parameters.values) for array in shared)


@family
def test_rows_of_a_batch_do_not_see_each_other(name: str) -> None:
    model = model_of(FAMILY[name])
    ids, _ = small_batch()
    together = model.forward(ids).copy()
    for b in range(2):
        np.testing.assert_allclose(model.forward(ids[b : b + 1])[0], together[b], rtol=1e-11)


@heads
@settings(max_examples=30)
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
