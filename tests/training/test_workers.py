"""Processes that each take a part of a batch: together they find what one finds alone."""

import errno
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.config import ModelConfig, TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.errors import WorkerError
from tinychat.presets import preset
from tinychat.training.batches import Batch, to_batch
from tinychat.training.keeping import loss_of
from tinychat.training.rows import Row
from tinychat.training.workers import Workers, useless_workers

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


def found_by(
    n: int, rows: Sequence[Row], shape: str = "classic", dtype: type[np.floating] = np.float32
) -> tuple[Loss, Floats]:
    transformer = transformer_of(shape, dtype)
    with Workers(transformer, n) as workers:
        loss = workers.loss_and_gradients(rows, [None] * n)
    return loss, transformer.parameters.grads


def alone(rows: Sequence[Row], shape: str, dtype: type[np.floating]) -> tuple[Loss, Floats]:
    transformer = transformer_of(shape, dtype)
    return transformer.loss_and_gradients(*to_batch(rows)), transformer.parameters.grads


@every_shape
@pytest.mark.parametrize(("dtype", "rounding"), [(np.float32, 1e-6), (np.float64, 1e-14)])
def test_many_find_what_one_finds(shape: str, dtype: type[np.floating], rounding: float) -> None:
    """More workers than rows, too."""
    transformer = transformer_of(shape, dtype)
    with Workers(transformer, 3) as workers:
        for n, n_rows in product([1, 2, 3], [1, 2, 4, 7]):
            rows = rows_of(n_rows)
            loss, grads = workers.loss_and_gradients(rows, [None] * n), transformer.parameters.grads
            wanted, wanted_grads = alone(rows, shape, dtype)
            assert (loss.tokens, loss.correct) == (wanted.tokens, wanted.correct)
            assert loss.total == pytest.approx(wanted.total, rel=10 * rounding)
            assert np.abs(wanted_grads).max() > 0.01
            np.testing.assert_allclose(grads, wanted_grads, rtol=0, atol=rounding * 5)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_losses_of_batches_do_not_depend_on_the_number_of_workers(n: int) -> None:
    transformer = transformer_of()
    with Workers(transformer, n) as workers:
        for n_batches in (0, 1, 2, 5):
            batches = [to_batch(rows_of(3, seed)) for seed in range(n_batches)]
            wanted = [transformer.loss(*batch) for batch in batches]
            assert len({loss.total for loss in wanted}) == n_batches
            assert workers.read(loss_of, batches) == wanted
            transformer.parameters.values *= 2  # they follow the weights
            assert workers.read(loss_of, batches) == [transformer.loss(*batch) for batch in batches]
            transformer.parameters.values *= 0.5


@pytest.fixture(scope="module")
def four() -> Iterator[Workers]:
    with Workers(transformer_of("classic", np.float64), 4) as workers:
        yield workers


@given(
    lengths=st.lists(st.integers(2, 12), min_size=2, max_size=9),
    n=st.integers(2, 4),
    seed=st.integers(0, 99),
)
def test_rows_of_any_lengths(four: Workers, lengths: list[int], n: int, seed: int) -> None:
    """Each token weighs the same, whichever worker has it."""
    rng = np.random.default_rng(seed)
    rows = [Row(rng.integers(0, V, length).tolist(), [True] * length) for length in lengths]
    loss, grads = four.loss_and_gradients(rows, [None] * n), four.transformer.parameters.grads
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

    with Workers(transformer, n) as workers:
        first = found(workers)
        assert all(found(workers) == first for _ in range(20))
        assert (found(workers, seed=1) == first) == (dropout == 0)
    with Workers(transformer, n) as others:
        assert found(others) == first


def test_each_worker_drops_by_its_own_generator() -> None:
    transformer = transformer_of(dropout=0.3)
    with Workers(transformer, 2) as workers:

        def grads(*seeds: int) -> bytes:
            workers.loss_and_gradients(rows_of(4), [np.random.default_rng(seed) for seed in seeds])
            return transformer.parameters.grads.tobytes()

        assert grads(0, 1) == grads(0, 1)
        assert len({grads(0, 1), grads(0, 2), grads(2, 1)}) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be held there")
def test_while_a_worker_is_waited_for_there_is_time_for_something_else() -> None:
    """Until it has answered, or there is nothing left to do."""
    transformer = transformer_of()
    with Workers(transformer, 2) as workers:
        wanted = workers.loss_and_gradients(rows_of(6), [None] * 2), transformer.parameters.grads.tobytes()
        [other], [process] = workers.others, processes_of(workers)
        for n_left in (3, 10**9):
            answered: list[bool] = []

            def meanwhile(n_left: int = n_left, answered: list[bool] = answered) -> bool:
                answered.append(other.has_answered)
                if len(answered) == 3:
                    process.send_signal(signal.SIGCONT)
                return len(answered) < n_left

            process.send_signal(signal.SIGSTOP)
            loss = workers.loss_and_gradients(rows_of(6), [None] * 2, meanwhile)
            assert (loss, transformer.parameters.grads.tobytes()) == wanted
            assert answered[:3] == [False] * 3
            assert (len(answered) == 3) or n_left > 3
            assert other.has_answered


def test_all_follow_the_weights_of_the_model() -> None:
    transformer = transformer_of()
    with Workers(transformer, 3) as workers:
        before = workers.loss_and_gradients(rows_of(6), [None] * 3)
        transformer.parameters.values -= 0.1 * transformer.parameters.grads
        after = workers.loss_and_gradients(rows_of(6), [None] * 3)
        assert after.total < before.total
        wanted = transformer.loss(*to_batch(rows_of(6)))
        assert after.total == pytest.approx(wanted.total, rel=1e-5)


def test_neighbouring_rows_go_to_different_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the parts take about as long."""
    shapes = []

    def watched(rows: Sequence[Row]) -> Batch:
        ids, targets = to_batch(rows)
        shapes.append(ids.shape)
        return ids, targets

    monkeypatch.setattr("tinychat.training.workers.to_batch", watched)
    rows = [Row([1] * length, [True] * length) for length in (3, 4, 8, 9, 14, 15)]
    found_by(2, rows)
    assert shapes == [(3, 13), (3, 14)]
    shapes.clear()
    found_by(4, rows[:2])
    assert shapes == [(1, 2), (1, 3)]


def processes_of(workers: Workers) -> list[subprocess.Popen[bytes]]:
    return [other._process for other in workers.others]


def test_closed_workers_leave_no_process_and_no_file() -> None:
    with Workers(transformer_of(), 3) as workers:
        workers.loss_and_gradients(rows_of(6), [None] * 3)
        processes, folder = processes_of(workers), Path(workers._folder.name)
        assert [process.poll() for process in processes] == [None, None]
        assert folder.exists()
    assert None not in [process.poll() for process in processes]
    assert not folder.exists()
    with Workers(transformer_of(), 1) as workers:
        assert processes_of(workers) == []


def test_processes_that_have_lost_their_master_end_and_leave_no_file() -> None:
    with Workers(transformer_of(), 3) as workers:
        for process in processes_of(workers):
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(10) == 0
        assert workers._folder is not None
        if sys.platform != "win32":  # where what is mapped, as by us, cannot be removed
            assert not Path(workers._folder.name).exists()


@pytest.mark.parametrize("at_work", [False, True])
def test_a_process_that_dies_is_an_error_that_says_so(at_work: bool) -> None:
    with Workers(transformer_of(), 2) as workers:
        if at_work:
            workers.loss_and_gradients(rows_of(6), [None] * 2)
        (process,) = processes_of(workers)
        process.kill()
        process.wait()
        with pytest.raises(WorkerError, match=r"a worker process has ended .*--workers 1"):
            workers.loss_and_gradients(rows_of(6), [None] * 2)


@pytest.mark.parametrize("n", [1, 2])
def test_what_overflows_is_no_warning(n: int, recwarn: pytest.WarningsRecorder) -> None:
    transformer = transformer_of()
    transformer.parameters.values[...] = np.inf
    with Workers(transformer, n) as workers:
        loss = workers.loss_and_gradients(rows_of(4), [None] * n)
    assert not np.isfinite(loss.total)
    assert len(recwarn) == 0


@pytest.mark.parametrize("place", [0, 1])
def test_an_error_in_any_worker_is_told(place: int) -> None:
    rows = rows_of(2)
    rows[place] = Row([V + 5] * 4, [True] * 4)  # no such token
    with pytest.raises(IndexError):
        found_by(2, rows)


def test_files_in_the_current_folder_are_not_taken_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [place for place in sys.path if place])
    loss, _ = found_by(2, rows_of(4))
    assert loss.tokens


def test_without_room_for_the_vectors_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tinychat.training.workers.shared_vectors", full)
    with pytest.raises(WorkerError, match=r"No space left on device; make room .*--workers 1"):
        Workers(transformer_of(), 2)


@pytest.mark.parametrize(
    ("workers", "batch_size", "told"),
    [
        (1, 1, None),
        (2, 1, None),
        (3, 1, "3 workers cannot share a batch of 1 row; take at most --workers 2, or a larger --batch-size"),
        (
            9,
            8,
            "9 workers cannot share a batch of 8 rows; take at most --workers 8, or a larger --batch-size",
        ),
        (4, 4, None),
        (
            5,
            64,
            "5 workers are more than the 4 cores of this machine, and wait for each other; "
            "take at most --workers 4",
        ),
    ],
)
def test_more_workers_than_are_of_use_are_told(
    monkeypatch: pytest.MonkeyPatch, workers: int, batch_size: int, told: str | None
) -> None:
    monkeypatch.setattr("tinychat.training.workers.n_cores", lambda: 4)
    assert useless_workers(TrainConfig(workers=workers, batch_size=batch_size)) == told
