"""Threads that each take a part of a batch: together they find what one finds alone."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.config import ModelConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.presets import preset
from tinychat.training.batches import to_batch
from tinychat.training.rows import Row
from tinychat.training.workers import Workers

V = 11
SHAPES = {
    "classic": {"d_model": 16, "head_dim": 16, "d_ff": 32, "n_layers": 2, "max_seq_len": 24},
    "modern": dict(preset("modern").model) | {"d_model": 16, "head_dim": 4, "d_ff": 32},
}
every_shape = pytest.mark.parametrize("shape", SHAPES)


def transformer_of(shape: str = "classic", dtype: type[np.floating] = np.float32, dropout: float = 0.0):
    config = ModelConfig(vocab_size=V, **{**SHAPES[shape], "dropout": dropout})
    transformer = Transformer(config, dtype)
    transformer.parameters.initialise(np.random.default_rng(1))
    return transformer


def rows_of(n: int, seed: int = 0) -> list[Row]:
    """Of several lengths, and with questions that do not count."""
    rng = np.random.default_rng(seed)
    rows = []
    for length in rng.integers(4, 20, n).tolist():
        n_prompt = int(rng.integers(0, length - 1))
        tokens = rng.integers(0, V, length).tolist()
        rows.append(Row(tokens, [False] * n_prompt + [True] * (length - n_prompt)))
    return rows


@contextmanager
def workers_of(transformer: Transformer, n: int) -> Iterator[Workers]:
    workers = Workers(transformer, n)
    try:
        yield workers
    finally:
        workers.close()


def found_by(
    n: int, rows: Sequence[Row], shape: str = "classic", dtype: type[np.floating] = np.float32
) -> tuple[Loss, Floats]:
    transformer = transformer_of(shape, dtype)
    with workers_of(transformer, n) as workers:
        loss = workers.loss_and_gradients(rows, [None] * n)
    return loss, transformer.parameters.grads


def alone(rows: Sequence[Row], shape: str, dtype: type[np.floating]) -> tuple[Loss, Floats]:
    transformer = transformer_of(shape, dtype)
    return transformer.loss_and_gradients(*to_batch(rows)), transformer.parameters.grads


@every_shape
@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("n_rows", [1, 2, 4, 7])
@pytest.mark.parametrize(("dtype", "rounding"), [(np.float32, 1e-6), (np.float64, 1e-14)])
def test_many_find_what_one_finds(
    shape: str, n: int, n_rows: int, dtype: type[np.floating], rounding: float
) -> None:
    """More workers than rows, too."""
    rows = rows_of(n_rows)
    loss, grads = found_by(n, rows, shape, dtype)
    wanted, wanted_grads = alone(rows, shape, dtype)
    assert (loss.tokens, loss.correct) == (wanted.tokens, wanted.correct)
    assert loss.total == pytest.approx(wanted.total, rel=10 * rounding)
    assert np.abs(wanted_grads).max() > 0.01
    np.testing.assert_allclose(grads, wanted_grads, rtol=0, atol=rounding * 5)


@given(st.lists(st.integers(2, 12), min_size=2, max_size=9), st.integers(2, 4), st.integers(0, 99))
def test_rows_of_any_lengths(lengths: list[int], n: int, seed: int) -> None:
    """Each token weighs the same, whichever worker has it."""
    rng = np.random.default_rng(seed)
    rows = [Row(rng.integers(0, V, length).tolist(), [True] * length) for length in lengths]
    loss, grads = found_by(n, rows, "classic", np.float64)
    wanted, wanted_grads = alone(rows, "classic", np.float64)
    assert loss.tokens == sum(lengths) - len(lengths)
    assert loss.total == pytest.approx(wanted.total, rel=1e-12)
    np.testing.assert_allclose(grads, wanted_grads, rtol=0, atol=1e-13)


def test_a_worker_with_nothing_to_predict_adds_nothing() -> None:
    silent = Row([1, 2, 3], [False] * 3)
    rows = [Row([4, 5, 6, 7], [True] * 4), silent]
    loss, grads = found_by(2, rows, "classic", np.float64)
    wanted, wanted_grads = alone(rows[:1], "classic", np.float64)
    assert (loss.tokens, loss.total) == (3, pytest.approx(wanted.total, rel=1e-12))
    np.testing.assert_allclose(grads, wanted_grads, rtol=0, atol=1e-14)
    loss, grads = found_by(2, [silent, silent])
    assert (loss, float(np.abs(grads).max())) == (Loss(0.0, 0, 0), 0.0)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_repeated_they_find_the_same_bits(n: int, dropout: float) -> None:
    """Whichever is ready first."""
    transformer = transformer_of(dropout=dropout)

    def found(workers: Workers, seed: int = 0) -> tuple[Loss, bytes]:
        rngs = [np.random.default_rng([seed, worker]) if dropout else None for worker in range(n)]
        loss = workers.loss_and_gradients(rows_of(8), rngs)
        return loss, transformer.parameters.grads.tobytes()

    with workers_of(transformer, n) as workers:
        first = found(workers)
        assert all(found(workers) == first for _ in range(20))
        assert (found(workers, seed=1) == first) == (dropout == 0)
    with workers_of(transformer, n) as others:
        assert found(others) == first


def test_each_worker_drops_by_its_own_generator() -> None:
    transformer = transformer_of(dropout=0.3)
    with workers_of(transformer, 2) as workers:

        def grads(*seeds: int) -> bytes:
            workers.loss_and_gradients(rows_of(4), [np.random.default_rng(seed) for seed in seeds])
            return transformer.parameters.grads.tobytes()

        assert grads(0, 1) == grads(0, 1)
        assert len({grads(0, 1), grads(0, 2), grads(2, 1)}) == 3


def test_all_share_the_weights_and_the_gradients_arrive_at_the_model() -> None:
    transformer = transformer_of()
    with workers_of(transformer, 3) as workers:
        assert workers.models[0] is transformer
        values = [model.parameters.values for model in workers.models]
        assert all(np.shares_memory(values[0], others) for others in values[1:])
        grads = [model.parameters.grads for model in workers.models]
        assert not any(np.shares_memory(grads[0], others) for others in grads[1:])
        before = workers.loss_and_gradients(rows_of(6), [None] * 3)
        transformer.parameters.values -= 0.1 * transformer.parameters.grads
        after = workers.loss_and_gradients(rows_of(6), [None] * 3)
        assert after.total < before.total
        wanted = transformer.loss(*to_batch(rows_of(6)))
        assert after.total == pytest.approx(wanted.total, rel=1e-5)


def test_neighbouring_rows_go_to_different_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the parts take about as long."""
    shapes = []
    real = Transformer.loss_and_gradients

    def watched(model: Transformer, ids: np.ndarray, targets: np.ndarray, rng: object = None) -> Loss:
        shapes.append(ids.shape)
        return real(model, ids, targets, None)

    monkeypatch.setattr(Transformer, "loss_and_gradients", watched)
    rows = [Row([1] * length, [True] * length) for length in (3, 4, 8, 9, 14, 15)]
    found_by(2, rows)
    assert sorted(shapes) == [(3, 13), (3, 14)]
    shapes.clear()
    found_by(4, rows[:2])
    assert sorted(shapes) == [(1, 2), (1, 3)]


def test_closed_workers_leave_no_thread() -> None:
    before = threading.active_count()
    with workers_of(transformer_of(), 3) as workers:
        workers.loss_and_gradients(rows_of(6), [None] * 3)
        assert threading.active_count() > before
    assert threading.active_count() == before
    with workers_of(transformer_of(), 1) as workers:
        workers.loss_and_gradients(rows_of(6), [None])
        assert threading.active_count() == before


@pytest.mark.parametrize("n", [1, 2])
def test_what_overflows_is_no_warning(n: int, recwarn: pytest.WarningsRecorder) -> None:
    transformer = transformer_of()
    transformer.parameters.values[...] = np.inf
    with workers_of(transformer, n) as workers:
        loss = workers.loss_and_gradients(rows_of(4), [None] * n)
    assert not np.isfinite(loss.total)
    assert len(recwarn) == 0


@pytest.mark.parametrize("place", [0, 1])
def test_an_error_in_any_worker_is_told(place: int) -> None:
    rows = rows_of(2)
    rows[place] = Row([V + 5] * 4, [True] * 4)  # no such token
    with pytest.raises(IndexError):
        found_by(2, rows)
