"""A partner makes training of one example at a time faster, and nothing else of it different."""

import errno
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_runs import comparable, start, state

from tinychat.errors import WorkerError
from tinychat.training import partner as module
from tinychat.training.batches import to_batch
from tinychat.training.events import Event, StepDone
from tinychat.training.optimizer import global_norm
from tinychat.training.partner import Partner
from tinychat.training.rows import Row
from tinychat.training.run import TrainingRun

ROWS = [Row([1, 2, 3, 4, 5, 6], [True] * 6), Row([3, 1, 4], [False, True, True])]


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> list[Partner]:
    """Those that there were so far. They start at once."""
    monkeypatch.setattr(module, "START_AFTER_S", 0.0)
    monkeypatch.setattr(module, "n_cores", lambda: 2)
    found: list[Partner] = []
    enter = Partner.__enter__
    monkeypatch.setattr(Partner, "__enter__", lambda self: (found.append(self), enter(self))[1])
    return found


def events_of(run: TrainingRun, partners: list[Partner]) -> Iterator[Event]:
    """Of a run whose second update waits until the partner is there."""
    for event in run.run():
        if partners and isinstance(event, StepDone):
            wait_for(partners[-1])
        yield event


def wait_for(partner: Partner) -> None:
    end = time.monotonic() + 30
    while not partner._desk.mailbox.is_done and time.monotonic() < end:
        time.sleep(0.01)


def joined(partner: Partner) -> Partner:
    partner.join()
    assert partner.is_here
    return partner


CASES: dict[str, dict[str, Any]] = {
    "adam": {},
    "adamw, clipped": {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 0.01},
    "sgd, accumulated": {"optimizer": "sgd", "momentum": 0.9, "accumulate": 2},
    "muon, tied": {"optimizer": "muon", "tie_embeddings": True, "dropout": 0.1, "validation": 0.3},
    "with two halves": {"d_ff": 10_000, "tune_epochs": 2},
    "modern": {"gated": True, "norm": "rmsnorm", "attention_output": True, "bias": False, "ema_decay": 0.9},
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_same_to_the_bit(case: str, partners: list[Partner]) -> None:
    alone = start(**CASES[case], workers=1)
    wanted = comparable(alone.run())
    assert not partners
    run = start(**CASES[case], workers=2)
    n_together = 0
    found = []
    for event in events_of(run, partners):
        n_together += isinstance(event, StepDone) and partners[-1].is_here
        found.append(event)
    assert len(partners) == 2, "one a phase"
    assert n_together > 10
    assert comparable(found) == wanted
    for model in (alone.model, run.model):  # the recipes differ in the number of workers
        model.card.configs.clear(), model.card.progress.clear()
    assert state(run.model) == state(alone.model)


def test_at_the_end_the_model_has_its_own_again(partners: list[Partner]) -> None:
    run = start(workers=2)
    transformer = run.model.transformer
    begun = transformer.parameters.values.copy()
    events = events_of(run, partners)
    for event in events:
        if isinstance(event, StepDone) and partners[-1].is_here:
            break
    learnt = run.model.transformer
    assert learnt is not transformer
    values = learnt.parameters.values.copy()
    moments = {name: vector.copy() for name, vector in run.optimizer.state.items()}
    folder = partners[-1]._folder
    process = partners[-1]._process
    assert process is not None
    events.close()  # as a loop does that is left
    assert run.model.transformer is transformer
    np.testing.assert_array_equal(transformer.parameters.values, values)
    assert np.abs(values - begun).max() > 0
    assert run.optimizer.parameters is transformer.parameters
    for name, vector in moments.items():
        np.testing.assert_array_equal(run.optimizer.state[name], vector)
    assert process.poll() is not None
    assert not folder.exists()


def test_there_is_none_where_it_is_of_no_use(
    partners: list[Partner], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in ({"workers": 1}, {"workers": 2, "batch_size": 2}):
        for _ in start(**arguments).run():
            pass
    monkeypatch.setattr(module, "n_cores", lambda: 1)
    for _ in start(workers=2).run():
        pass
    assert not partners


def test_a_short_training_starts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_AFTER_S", 100.0)
    monkeypatch.setattr(module, "start_process", lambda _: pytest.fail("not worth it"))
    for _ in start(workers=2).run():
        pass


def test_without_room_or_process_it_goes_on_alone(
    partners: list[Partner], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    def ended(_: str) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], stdin=pipe, stdout=pipe)

    def new_folder() -> Path:
        folder = tmp_path / str(time.monotonic_ns())
        folder.mkdir()
        return folder

    alone = start(workers=1)
    wanted = comparable(alone.run())
    for failure, part in ((full, "Desk"), (no_memory, "Desk"), (no_memory, "make_optimizer")):
        with monkeypatch.context() as patch:
            patch.setattr(module, part, failure)
            patch.setattr(module, "mkdtemp", lambda prefix: str(new_folder()))
            assert comparable(start(workers=2).run()) == wanted
            assert not list(tmp_path.iterdir())
        assert not partners
    for start_process in (full, ended):
        monkeypatch.setattr(module, "start_process", start_process)
        assert comparable(start(workers=2).run()) == wanted
        assert len(partners) == 2
        assert not any(partner.is_here for partner in partners)
        partners.clear()


def test_the_death_of_the_partner_is_told(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        process = joined(partner)._process
        assert process is not None
        process.kill()
        with pytest.raises(WorkerError, match="--workers 1"):
            partner.loss_and_gradients(ROWS[1:], [None])


def test_it_ends_when_nobody_is_there_any_more(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        process = joined(partner)._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_its_death_within_a_step_leaves_weights_that_are_not_kept(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        joined(partner).loss_and_gradients(ROWS[:1], [None])
        process = partner._process
        assert process is not None
        process.kill()
        process.wait()
        with pytest.raises(WorkerError) as caught:
            partner.step(run.optimizer, run.model.card.configs["tune"], 0.1)
    assert not caught.value.are_weights_whole


def test_between_two_updates_the_model_is_like_any_other(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        joined(partner).loss_and_gradients(ROWS[:1], [None])
        transformer = run.model.transformer
        transformer.loss_and_gradients(*to_batch(ROWS))
        found = transformer.parameters.grads.copy()
    own = run.model.transformer
    own.loss_and_gradients(*to_batch(ROWS))
    np.testing.assert_array_equal(found, own.parameters.grads)


def test_what_is_read_between_two_updates_changes_nothing(partners: list[Partner]) -> None:
    """The layers then hold something else than what was read ahead for the next update."""
    alone = start(workers=1)
    wanted = comparable(alone.run())
    run, n_read = start(workers=2), 0
    found = []
    for event in events_of(run, partners):
        if isinstance(event, StepDone) and partners[-1]._read is not None:
            n_read += 1
            run.model.transformer.loss(*to_batch(ROWS))
        found.append(event)
    assert n_read > 10
    assert comparable(found) == wanted
    np.testing.assert_array_equal(
        run.model.transformer.parameters.values, alone.model.transformer.parameters.values
    )


def test_what_comes_next_is_read_from_the_weights_of_this_update(partners: list[Partner]) -> None:
    run = start(workers=2)
    config = run.model.card.configs["tune"]
    with Partner(run.model, config) as partner:
        joined(partner).loss_and_gradients(ROWS[:1], [None])
        coming = ROWS[1:]
        partner.step(run.optimizer, config, 0.1, 0.5, coming)
        n_reads = partner.transformer.n_reads
        loss = partner.loss_and_gradients(coming, [None])
        assert partner.transformer.n_reads == n_reads, "once is enough"
    assert loss == run.model.transformer.loss(*to_batch(coming, run.model.config.max_seq_len))


def test_the_norm_is_that_of_one_alone(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        joined(partner).loss_and_gradients(ROWS[:1], [None])
        assert partner.global_norm() == global_norm(partner.transformer.parameters.grads) > 0


def test_a_model_that_was_changed_meanwhile_stays_as_it_is(partners: list[Partner]) -> None:
    """A lesson puts another transformer in its place."""
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        other = run.model.transformer = start(seed=3).model.transformer
    assert run.model.transformer is other
    assert not partner._folder.exists()
