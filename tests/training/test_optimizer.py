"""What every optimiser must do, and clipping."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from textbook import HIDDEN, SPECS, Step, by_the_book, random_gradients, small_parameters, update

from tinychat.config import ModelConfig, TrainConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Parameters
from tinychat.training import blocks
from tinychat.training.optimizer import OPTIMIZERS, clip_by_global_norm_, make_optimizer

KINDS = ("adam", "adamw", "sgd", "muon")
LARGEST = 32 * 1024
"""Bytes; far less than one of the blocks, and than the smallest work matrix."""

every_kind = pytest.mark.parametrize("kind", KINDS)


def recipe(kind: str, **changes: float) -> TrainConfig:
    """Nothing in it is at its default, or 0 where another value can be."""
    config = TrainConfig(optimizer=kind, beta1=0.8, beta2=0.95, eps=1e-6, momentum=0.7)  # type: ignore[arg-type]
    decay = 0.0 if kind == "adam" else 0.3
    return replace(config, **{"weight_decay": decay, **changes})  # type: ignore[arg-type]


def scheduled(kind: str, n: int = 20, **changes: float) -> list[Step]:
    """Updates whose learning rate changes from one to the next, and is never config.lr."""
    return [
        (g, recipe(kind, lr=1000.0, **changes), 0.02 / t) for t, g in enumerate(random_gradients(n), start=1)
    ]


def test_each_is_found_by_the_name_that_the_config_has() -> None:
    assert tuple(OPTIMIZERS) == KINDS
    for kind in KINDS:
        parameters = small_parameters()
        optimizer = make_optimizer(recipe(kind).optimizer, parameters)
        assert optimizer.kind == kind
        assert optimizer.parameters is parameters
        assert optimizer.updates == 0
        assert tuple(optimizer.state) == optimizer.state_names
        for vector in optimizer.state.values():
            assert vector.shape == parameters.values.shape
            assert not vector.any()


@every_kind
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_twenty_updates_are_those_of_the_paper(kind: str, dtype: type[np.floating]) -> None:
    parameters = small_parameters(dtype)
    steps = scheduled(kind)
    wanted, start = by_the_book(parameters, steps, kind), parameters.values.copy()
    optimizer = make_optimizer(kind, parameters)
    found = update(optimizer, steps)
    assert optimizer.updates == 20
    assert {found.dtype, *(vector.dtype for vector in optimizer.state.values())} == {np.dtype(dtype)}
    # Newton-Schulz may not be exact where two singular values are far apart.
    atol = 1e-12 if dtype is np.float64 else 1e-4 if kind == "muon" else 1e-5
    assert np.abs(wanted - start).max() > 100 * atol
    np.testing.assert_allclose(found, wanted, rtol=0, atol=atol)


@every_kind
def test_it_descends_a_quadratic(kind: str) -> None:
    """From a distance of about 1 a weight; every direction has its own curvature."""
    parameters = small_parameters()
    target, curvature = small_parameters(seed=5).values, np.geomspace(0.1, 2, len(parameters.values))
    optimizer = make_optimizer(kind, parameters)

    def loss() -> float:
        return float((curvature * (parameters.values - target) ** 2).sum() / 2)

    losses = [loss()]
    for step in range(300):
        parameters.grads[...] = curvature * (parameters.values - target)
        optimizer.step(TrainConfig(), 0.1 * (1 - step / 300))
        losses.append(loss())
    assert losses[1] < losses[0]
    assert losses[-1] < 1e-3 * losses[0]


@every_kind
def test_from_what_is_saved_it_goes_on_to_the_same_bits(kind: str) -> None:
    steps = scheduled(kind)
    parameters = small_parameters(np.float32)
    whole = update(make_optimizer(kind, parameters), steps)
    parameters = small_parameters(np.float32)
    first = make_optimizer(kind, parameters)
    update(first, steps[:7])
    second_parameters = Parameters(SPECS)
    second = make_optimizer(kind, second_parameters)
    second_parameters.values[...] = parameters.values
    second.updates = first.updates
    for name, vector in second.state.items():
        vector[...] = first.state[name]
    assert update(second, steps[7:]).tobytes() == whole.tobytes()


@every_kind
def test_all_of_the_state_is_needed(kind: str) -> None:
    """Otherwise the test above would not notice a vector that is not restored."""
    steps = scheduled(kind)
    whole = update(make_optimizer(kind, small_parameters()), steps)
    for lost in make_optimizer(kind, small_parameters()).state_names:
        optimizer = make_optimizer(kind, small_parameters())
        update(optimizer, steps[:7])
        optimizer.state[lost].fill(0)
        assert np.abs(update(optimizer, steps[7:]) - whole).max() > 1e-4


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "adam"])
def test_only_matrices_decay(kind: str) -> None:
    """By lr * weight_decay of themselves, also where there is no gradient."""
    parameters = small_parameters()
    before = {name: view.copy() for name, view in parameters.views(parameters.values)}
    zero = np.zeros_like(parameters.values)
    update(make_optimizer(kind, parameters), [(zero, recipe(kind, weight_decay=0.5), 0.1)])
    for name, view in parameters.views(parameters.values):
        np.testing.assert_allclose(view, before[name] * (0.95 if view.ndim > 1 else 1), rtol=1e-15, atol=0)


@every_kind
@pytest.mark.parametrize("lr", [0.1, 0.0])
def test_without_a_gradient_and_without_decay_nothing_moves(kind: str, lr: float) -> None:
    """Nor is anything divided by 0, and a learning rate of 0 updates no weight whatever its gradient."""
    parameters = small_parameters()
    before = parameters.values.tobytes()
    gradient = random_gradients(1)[0] * (lr == 0)
    with np.errstate(all="raise"):
        update(make_optimizer(kind, parameters), [(gradient, TrainConfig(), lr)] * 3)
    assert parameters.values.tobytes() == before


@every_kind
@pytest.mark.parametrize("block", [1, 7, 64, 150])
def test_where_a_block_ends_changes_no_bit(kind: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = scheduled(kind, 5)
    whole = update(make_optimizer(kind, small_parameters(np.float32)), steps)
    monkeypatch.setattr(blocks, "BLOCK", block)
    assert update(make_optimizer(kind, small_parameters(np.float32)), steps).tobytes() == whole.tobytes()


@every_kind
def test_the_vectors_stay_the_same_arrays(kind: str) -> None:
    parameters = small_parameters()
    optimizer = make_optimizer(kind, parameters)
    kept = [parameters.values, parameters.grads, *optimizer.state.values()]
    view = parameters.scope("norm1.0")["gain"]
    before = view.copy()
    update(optimizer, scheduled(kind, 2))
    now = [parameters.values, parameters.grads, *optimizer.state.values()]
    assert all(a is b for a, b in zip(kept, now, strict=True))
    assert (view != before).all()


@every_kind
def test_nothing_large_is_allocated_after_the_first_step(kind: str) -> None:
    parameters = Transformer(ModelConfig(vocab_size=50, n_layers=1)).parameters
    parameters.initialise(np.random.default_rng(0))
    parameters.grads[...] = 1e-3
    optimizer = make_optimizer(kind, parameters)
    optimizer.step(recipe(kind), 0.01)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        optimizer.step(recipe(kind), 0.01)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < LARGEST


def test_the_hidden_matrices_of_the_tests_are_some_of_all_kinds() -> None:
    shapes = [spec.shape for spec in SPECS if spec.name in HIDDEN]
    assert {np.sign(columns - rows) for rows, columns in shapes} == {-1, 0, 1}


vectors = arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e6, 1e6, allow_subnormal=False))


@settings(max_examples=200)
@given(vectors, st.floats(1e-3, 1e3))
def test_clipping_shortens_and_does_not_turn(gradient: Floats, max_norm: float) -> None:
    norm = float(np.sqrt((gradient**2).sum()))
    clipped = gradient.copy()
    assert clip_by_global_norm_(clipped, max_norm) == pytest.approx(norm, rel=1e-12)
    if norm <= max_norm * (1 - 1e-12):
        np.testing.assert_array_equal(clipped, gradient)
    elif norm > max_norm * (1 + 1e-12):
        assert np.linalg.norm(clipped) == pytest.approx(max_norm, rel=1e-9)
        np.testing.assert_allclose(clipped * (norm / max_norm), gradient, rtol=1e-9, atol=1e-290)


def test_clipping_at_the_limit_itself_does_nothing() -> None:
    gradient = np.array([3.0, 4.0], np.float32)
    assert clip_by_global_norm_(gradient, 5.0) == 5.0
    assert gradient.tolist() == [3.0, 4.0]


def test_clipping_is_by_the_norm_of_all_and_in_float32() -> None:
    gradient = np.full(10_000, 1.0, np.float32)
    assert clip_by_global_norm_(gradient, 5.0) == pytest.approx(100)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, 0.05, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the trainer turns them off
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_norm_tells_a_gradient_that_is_not_finite(bad: float) -> None:
    assert not np.isfinite(clip_by_global_norm_(np.array([1.0, bad]), 5.0))
