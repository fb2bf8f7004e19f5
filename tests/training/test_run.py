"""Whole runs: both phases, seeds, odd corpora."""

import random
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
from tiny_runs import CORPUS, PRESET, comparable, kinds, start, state, trained, with_epochs

from tinychat import weights
from tinychat.config import TrainConfig
from tinychat.corpus import Corpus
from tinychat.errors import ConfigError, CorpusError, UsageError
from tinychat.training.events import EpochDone, Event, Finished, PhaseDone, PhaseStarted, StepDone
from tinychat.training.run import TrainingRun


def test_training_learns() -> None:
    records = [e for e in start(tune_epochs=40).run() if isinstance(e, EpochDone) and e.phase == "tune"]
    assert records[-1].loss < 0.5 * records[0].loss
    assert records[-1].accuracy > records[0].accuracy


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    first, second, other = trained(seed=1), trained(seed=1), trained(seed=2)
    assert state(first) == state(second)
    assert first.transformer.parameters.values.tobytes() != other.transformer.parameters.values.tobytes()


def test_the_same_seed_gives_the_same_events() -> None:
    assert comparable(start(seed=1).run()) == comparable(start(seed=1).run())


def test_global_random_state_plays_no_part() -> None:
    first = trained()
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    assert state(trained()) == state(first)


def test_seeds_differ_in_the_first_weights_and_in_the_order_of_examples() -> None:
    first, second = start(seed=1), start(seed=2)
    values = second.model.transformer.parameters.values
    assert (first.model.transformer.parameters.values != values).any()
    values[...] = first.model.transformer.parameters.values
    losses = [[e.loss for e in islice(run.run(), 7) if isinstance(e, StepDone)] for run in (first, second)]
    assert losses[0] != losses[1]


def test_senseless_requests_are_refused() -> None:
    with pytest.raises(UsageError, match="seed"):
        start(seed=-1)
    with pytest.raises(ConfigError, match="epochs"):
        start(pretrain_epochs=-1)
    with pytest.raises(CorpusError):
        start(Corpus("empty"))


@pytest.mark.parametrize(
    ("corpus", "phase"),
    [(replace(CORPUS, dialogues=()), "pretrain"), (replace(CORPUS, facts=()), "tune")],
)
def test_a_corpus_of_one_kind_trains_in_one_phase(tmp_path: Path, corpus: Corpus, phase: str) -> None:
    run = start(corpus)
    assert list(run.model.card.configs) == [phase]
    assert run.model.card.is_chat == (phase == "tune")
    events = list(run.run())
    assert {event.phase for event in events if isinstance(event, PhaseStarted | StepDone)} == {phase}
    assert run.model.card.is_finished
    again = TrainingRun(weights.load(run.model.save(tmp_path / "one.npz")), corpus)
    again.extend(1)
    assert sum(isinstance(event, EpochDone) for event in again.run()) == 1


def test_phases_of_no_epochs() -> None:
    run = with_epochs(0, 2)
    untouched = run.model.transformer.parameters.values.tobytes()
    events: list[Event] = []
    for event in run.run():
        if event.name == "sample_drawn":
            break
        events.append(event)
    assert kinds(events) == ["phase_started", "phase_done", "phase_started"]
    assert events[1] == PhaseDone("pretrain", 0, None, 0.0)
    assert run.model.transformer.parameters.values.tobytes() == untouched
    nothing = with_epochs(0, 0)
    assert kinds(list(nothing.run())) == ["phase_started", "phase_done"] * 2 + ["finished"]
    assert nothing.model.card.is_finished


def test_a_pause_between_two_events_does_not_count() -> None:
    run = start(pretrain_epochs=1, tune_epochs=1)
    begin, paused = time.perf_counter(), 0.0
    for event in run.run():
        pause = time.perf_counter()
        if isinstance(event, StepDone):
            time.sleep(0.02)
        paused += time.perf_counter() - pause
    wall = time.perf_counter() - begin
    assert isinstance(event, Finished)
    assert paused >= 8 * 0.02
    assert 0 < event.seconds <= wall - paused
    for progress in run.model.card.progress.values():
        # The pace is that of the updates as well.
        record = progress.epochs[-1]
        n_tokens = record.tokens_per_s * progress.seconds
        assert n_tokens > record.tokens_per_s * 1e-6


def test_one_blas_thread_while_training_and_as_before_after_it() -> None:
    def threads() -> list[int]:
        return [lib["num_threads"] for lib in threadpoolctl.threadpool_info() if lib["user_api"] == "blas"]

    with threadpoolctl.threadpool_limits(2, "blas"):
        before = threads()
        run = start().run()
        next(run)
        assert set(threads()) <= {1}
        run.close()  # given up in the middle
        assert threads() == before


def test_a_phase_keeps_its_own_recipe() -> None:
    recipe = replace(PRESET, tune=TrainConfig(epochs=2, lr=1e-12))
    run = start(preset=recipe)
    iterator = run.run()
    for event in iterator:
        if isinstance(event, PhaseStarted) and event.phase == "tune":
            break
    before = run.model.transformer.parameters.values.copy()
    list(iterator)
    np.testing.assert_allclose(run.model.transformer.parameters.values, before, atol=1e-9)


def test_a_small_corpus_gets_epochs_for_the_least_number_of_updates() -> None:
    run = start(pretrain_epochs=2, pretrain_min_updates=0, tune_epochs=2, tune_min_updates=7, batch_size=2)
    epochs = {phase: config.epochs for phase, config in run.model.card.configs.items()}
    assert epochs == {"pretrain": 2, "tune": 4}  # of three dialogues each, in two batches
    done = [event for event in run.run() if isinstance(event, StepDone) and event.phase == "tune"]
    assert len(done) >= 7
