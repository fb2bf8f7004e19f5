"""Whole runs: both phases, seeds, stopping and resuming, more epochs, odd corpora."""

import random
import time
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from tiny_runs import CORPUS, DIALOGUES, FACTS, PRESET, comparable, kinds, start, state, trained

from tinychat import weights
from tinychat.config import TrainConfig
from tinychat.corpus import Corpus, Turn
from tinychat.errors import ConfigError, CorpusError, TinychatError, UsageError
from tinychat.training.events import (
    EpochDone,
    Event,
    Finished,
    PhaseDone,
    PhaseStarted,
    SampleDrawn,
    StepDone,
)
from tinychat.training.run import TrainingRun


def test_the_card_tells_where_the_model_comes_from() -> None:
    run = start(seed=3)
    card = run.model.card
    assert (card.preset, card.seed, card.corpus, card.corpus_source) == ("tiny", 3, "tiny", "tiny")
    assert (card.n_facts, card.n_dialogues, card.max_turns) == (5, 3, 2)
    assert card.corpus_fingerprint == CORPUS.fingerprint
    assert list(card.configs) == ["pretrain", "tune"]
    assert card.is_chat
    assert not card.is_finished
    assert (card.final_loss, card.epochs_done) == (None, 0)
    events = list(run.run())
    assert card.is_finished
    assert card.epochs_done == 7
    last = [event for event in events if isinstance(event, EpochDone)][-1]
    assert card.final_loss == last.loss


def test_the_card_has_questions_from_all_over_a_large_corpus() -> None:
    dialogues = tuple((Turn(f"Is it {number}?", "Yes."), Turn("And now?", "No.")) for number in range(1300))
    rehearsal = start(replace(CORPUS, dialogues=dialogues)).model.card.rehearsal
    assert rehearsal == [[f"Is it {number}?", "And now?"] for number in range(0, 1300, 3)]


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


def resumed(run: TrainingRun, path: Path) -> TrainingRun:
    return TrainingRun(weights.load(weights.save(run.model, path)), run.corpus)


def unfinished(run: TrainingRun) -> tuple[str, int] | None:
    """The phase that a run is in, and the epochs of it that are done; None after the last."""
    card = run.model.card
    for phase, config in card.configs.items():
        progress = card.progress[phase]
        waited = progress.epoch - progress.best_epoch
        if progress.epoch < config.epochs and not (config.patience and waited >= config.patience):
            return phase, progress.epoch
    return None


ROOM: dict[str, Any] = {"max_seq_len": 40}
"""For two dialogues in a row."""
FEATURES: dict[str, dict[str, Any]] = {
    "mini-batches": {"batch_size": 2},
    "accumulation": {"batch_size": 2, "accumulate": 2},
    "workers": {"batch_size": 3, "workers": 2},
    "windows": {"windows": 6, "batch_size": 2},
    "windows of which some are held out": {"windows": 6, "batch_size": 2, "validation": 0.2},
    "typos": {"typos": 0.3},
    "careless questions": {"careless": 0.5},
    "unanswerable questions": {"unanswerable": 0.5},
    "joined dialogues": {"joined": 0.5, **ROOM},
    "masked prompts": {"mask_prompt": True},
    "dropout": {"dropout": 0.2},
    "dropout in workers": {"dropout": 0.2, "batch_size": 3, "workers": 2},
    "dropout in batches": {"dropout": 0.2, "batch_size": 1, "accumulate": 3},
    "moving average": {"ema_decay": 0.7},
    "held-out rows": {"validation": 0.3},
    "an average that is held out": {"validation": 0.3, "ema_decay": 0.7},
    "patience": {"validation": 0.3, "patience": 1, "tune_epochs": 9, "tune_lr": 0.05},
    "schedule": {"schedule": "cosine", "warmup": 0.3, "optimizer": "adamw", "weight_decay": 0.1},
}
"""Everything that a run could lose when it is stopped."""
ALL_OF_IT = {name: value for feature in FEATURES.values() for name, value in feature.items()} | {
    "pretrain_batch_size": 2,
    "tune_batch_size": 1,
    "accumulate": 2,
    "tune_lr": 0.01,
}
CHAR_OF_ALL = ALL_OF_IT | {"tokenizer": "char", "max_seq_len": 90}


@pytest.mark.parametrize("changes", FEATURES.values(), ids=FEATURES)
def test_every_feature_makes_a_difference(changes: dict[str, Any]) -> None:
    """Without one, the tests of stopping would prove nothing about it."""
    others = {name: value for name, value in changes.items() if name in ("tune_epochs", "tune_lr", *ROOM)}
    with_it, without = trained(**changes), trained(**others)
    assert state(with_it)["values"] != state(without)["values"]
    assert with_it.extras == {}


@pytest.mark.parametrize("changes", [{}, ALL_OF_IT | {"workers": 1}], ids=["classic", "all of it by one"])
def test_a_run_stopped_at_any_event_goes_on_with_the_same_bits(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Within an epoch, at its last update, behind its record, between the phases, at the end: everywhere."""
    whole = start(**changes)
    events = list(whole.run())
    wanted = state(whole.model)
    assert len(events) > 20
    for cut in range(1, len(events) + 1):
        run = start(**changes)
        seen = list(islice(run.run(), cut))
        rest = resumed(run, tmp_path / "cut.npz")
        here = unfinished(rest)
        later = list(rest.run())
        assert state(rest.model) == wanted, f"after event {cut}: {seen[-1]}"
        updates = [event for event in (*seen, *later) if isinstance(event, StepDone | EpochDone)]
        assert comparable(updates) == comparable(e for e in events if isinstance(e, StepDone | EpochDone))
        samples = [event for event in events[cut:] if isinstance(event, SampleDrawn)]
        again = [event for event in later if isinstance(event, SampleDrawn)]
        if here:  # whoever goes on within a phase first sees what the model says there
            assert (again[0].phase, again[0].epoch) == here
            again = [event for event in again if (event.phase, event.epoch) != here]
        if isinstance(seen[-1], EpochDone) and (here is None or here[0] != seen[-1].phase):
            del samples[0]  # the phase is over, and so is the time for its last sample
        assert comparable(again) == comparable(e for e in samples if (e.phase, e.epoch) != here)
        assert isinstance(later[-1], Finished)


@pytest.mark.parametrize(
    ("changes", "stride"),
    [({}, 1), *((feature, 2) for feature in FEATURES.values()), (ALL_OF_IT, 1), (CHAR_OF_ALL, 2)],
    ids=["classic", *FEATURES, "all of it", "all of it by characters"],
)
def test_a_run_stopped_again_and_again_goes_on_with_the_same_bits(
    tmp_path: Path, changes: dict[str, Any], stride: int
) -> None:
    run = start(**changes)
    n_stops = 0
    while True:
        goal = run.optimizer.updates + stride
        events = run.run()
        try:
            # To the next update, or one event behind it: both kinds of places in one run.
            while run.optimizer.updates < goal:
                next(events)
            if n_stops % 2:
                next(events)
        except StopIteration:
            break
        events.close()
        run = resumed(run, tmp_path / "stop.npz")
        n_stops += 1
    assert n_stops > run.optimizer.updates // (2 * stride) >= 2
    assert state(run.model) == state(trained(**changes))


def test_a_file_written_at_the_last_record_of_a_phase_is_already_what_the_phase_ends_with(
    tmp_path: Path,
) -> None:
    """Who is killed there has no other file, and a finished run is not offered to be gone on with."""
    changes = {"ema_decay": 0.9, "validation": 0.3}
    run = start(**changes)
    for event in run.run():
        if isinstance(event, EpochDone) and event.phase == "tune" and event.epoch == event.epochs:
            break
    found = weights.load(weights.save(run.model, tmp_path / "last.npz"))
    assert found.card.is_finished
    assert found.extras == {}
    assert state(found) == state(trained(**changes))


def test_a_run_given_up_goes_on_in_memory() -> None:
    run = start()
    for _ in islice(run.run(), 9):
        pass
    again = TrainingRun(run.model, CORPUS)
    for _ in again.run():
        pass
    assert state(again.model) == state(trained())


def test_training_time_adds_up_over_interruptions(tmp_path: Path) -> None:
    run = start()
    list(islice(run.run(), 9))
    before = run.model.card.progress["pretrain"].seconds
    assert before > 0
    again = resumed(run, tmp_path / "time.npz")
    assert again.model.card.progress["pretrain"].seconds == before
    done = [event for event in again.run() if isinstance(event, PhaseDone | Finished)]
    assert done[0].seconds > before
    assert done[2].seconds == pytest.approx(done[0].seconds + done[1].seconds, rel=1e-12)


def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path) -> None:
    run = start()
    list(run.run())
    before = state(run.model)
    again = resumed(run, tmp_path / "done.npz")
    assert kinds(list(again.run())) == ["phase_started", "phase_done"] * 2 + ["finished"]
    assert state(again.model) == before


def with_epochs(pretrain: int, tune: int) -> TrainingRun:
    return start(pretrain_epochs=pretrain, tune_epochs=tune)


@pytest.mark.parametrize("through_a_file", [False, True])
def test_two_and_three_epochs_extended_by_two_are_two_and_five(tmp_path: Path, through_a_file: bool) -> None:
    longer = with_epochs(2, 5)
    list(longer.run())
    run = with_epochs(2, 3)
    list(run.run())
    if through_a_file:
        run = resumed(run, tmp_path / "extended.npz")
    run.extend(2)
    assert not run.model.card.is_finished
    events = list(run.run())
    assert sum(isinstance(event, EpochDone) for event in events) == 2
    extended, wanted = state(run.model), state(longer.model)
    for key in ("values", "state", "optimizer", "configs"):
        assert extended[key] == wanted[key], key
    # The first records were written when 3 epochs were planned.
    planned = [record.pop("epochs") for record in extended["progress"]["tune"]["epochs"]]
    assert planned == [3, 3, 3, 5, 5]
    for record in wanted["progress"]["tune"]["epochs"]:
        assert record.pop("epochs") == 5
    assert extended["progress"] == wanted["progress"]


@pytest.mark.parametrize("changes", [{}, {"ema_decay": 0.9}, {"validation": 0.3}, ALL_OF_IT], ids=str)
def test_extended_before_its_end_a_phase_is_as_if_it_had_been_longer(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    """What is kept beside the weights goes on as well."""
    changes = {**changes, "patience": 0, "schedule": "constant", "warmup": 0.0}
    run = start(**{**changes, "tune_epochs": 3})
    for event in run.run():
        if isinstance(event, EpochDone) and event.phase == "tune" and event.epoch == 2:
            break
    run = resumed(run, tmp_path / "two.npz")
    run.extend(3)
    list(run.run())
    longer = trained(**{**changes, "tune_epochs": 6})
    for key in ("values", "state", "optimizer", "configs", "extras"):
        assert state(run.model)[key] == state(longer)[key], key


def test_a_phase_that_has_ended_looks_for_an_average_and_a_best_anew() -> None:
    run = start(ema_decay=0.9, validation=0.3)
    list(run.run())
    progress = run.model.card.progress["tune"]
    assert (progress.is_ended, progress.averaged) == (True, 10)
    run.extend(2)
    assert (progress.is_ended, progress.averaged, progress.best_loss) == (False, 0, None)
    list(run.run())
    assert (progress.is_ended, progress.averaged, progress.epoch) == (True, 4, 7)
    assert progress.best_epoch > 5  # the best of the two new ones


def test_a_phase_that_ended_early_is_extended_from_there() -> None:
    run = start(**FEATURES["patience"])
    list(run.run())
    progress = run.model.card.progress["tune"]
    done = progress.epoch
    assert done < 9
    run.extend(2)
    assert run.model.card.configs["tune"].epochs == done + 2
    assert run.model.card.epochs_left == 2
    n_more = sum(isinstance(event, EpochDone) for event in run.run())
    assert 1 <= n_more <= 2
    assert run.model.card.is_finished


def test_extending_before_the_end_lengthens_the_last_phase_only() -> None:
    run = with_epochs(2, 3)
    list(islice(run.run(), 4))
    run.extend(2)
    assert {phase: config.epochs for phase, config in run.model.card.configs.items()} == {
        "pretrain": 2,
        "tune": 5,
    }
    run = TrainingRun(run.model, CORPUS)
    list(run.run())
    longer = with_epochs(2, 5)
    list(longer.run())
    assert state(run.model)["values"] == state(longer.model)["values"]


@pytest.mark.parametrize(
    "other",
    [
        replace(CORPUS, facts=FACTS[:-1]),
        replace(CORPUS, facts=(*FACTS[:-1], "Birds sing!")),
        replace(CORPUS, dialogues=DIALOGUES[::-1]),
        replace(CORPUS, facts=(), dialogues=DIALOGUES),
    ],
)
def test_another_corpus_is_refused(other: Corpus) -> None:
    run = start()
    with pytest.raises(UsageError, match="not the one"):
        TrainingRun(run.model, other)


def test_the_same_texts_under_another_name_are_the_same_corpus() -> None:
    TrainingRun(start().model, replace(CORPUS, name="renamed", source="elsewhere"))


def test_a_model_without_an_optimizer_cannot_go_on() -> None:
    model = replace(trained(), optimizer=None)
    with pytest.raises(UsageError, match="optimiser"):
        TrainingRun(model, CORPUS)


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


@pytest.mark.parametrize(
    "corpus",
    [
        Corpus("an empty fact", ("", *FACTS)),
        Corpus("an empty question", FACTS, ((Turn("", "Rain."),),)),
        Corpus("an empty dialogue", FACTS, ((),)),
        Corpus("nothing but spaces", (" ",), DIALOGUES),
    ],
    ids=lambda corpus: corpus.name,
)
def test_a_corpus_with_holes_is_learnt_or_refused(corpus: Corpus) -> None:
    with suppress(TinychatError):
        list(start(corpus).run())


def test_long_rows_are_cut_and_counted() -> None:
    long_fact = " ".join(["Rain falls"] * 20) + "."
    long_dialogue = (Turn("What falls?", long_fact),)
    corpus = Corpus("long", (*FACTS, long_fact), (*DIALOGUES, long_dialogue), warnings=("read with care",))
    run = start(corpus)
    assert run.warnings[0] == "read with care"
    assert len(run.warnings) == 2
    assert run.warnings[1].startswith("2 rows are longer than the context of 24 tokens")
    assert corpus.warnings == ("read with care",)
    events = list(run.run())
    assert [event.examples for event in events if isinstance(event, PhaseStarted)] == [6, 4]
    assert TrainingRun(run.model, corpus).warnings == run.warnings
    assert start().warnings == []
    assert start(workers=3).warnings[0].startswith("3 workers cannot share a batch of 1 row;")
    assert len(start(workers=3).warnings) == 1, "one line for both phases"


def test_cut_rows_are_counted_whether_they_are_held_out_or_not() -> None:
    long_fact = " ".join(["Rain falls"] * 20) + "."
    corpus = replace(CORPUS, facts=(*FACTS, *[long_fact] * 5))
    for seed in range(3):
        run = start(corpus, seed=seed, validation=0.5)
        assert run.warnings[0].startswith("5 rows are longer than the context of 24 tokens")


LONG_QUESTION = (Turn(" ".join(["What falls?"] * 20), "Rain."),)


def test_a_question_that_leaves_no_room_for_its_answer_teaches_nothing() -> None:
    """Where only answers count, nothing of its row does."""
    corpus = replace(CORPUS, dialogues=(*DIALOGUES[:2], LONG_QUESTION, DIALOGUES[2]))
    run = start(corpus, mask_prompt=True)
    assert run.warnings[0].startswith("1 rows are longer")
    events = list(run.run())
    tune = [event for event in events if isinstance(event, PhaseStarted)][1]
    # "Rain falls." and "The sun melts it." and "Birds sing." and "When the sun is out.", each with its end.
    assert (tune.examples, tune.tokens) == (3, 4 + 6 + 4 + 7)
    without_mask = [e for e in start(corpus).run() if isinstance(e, PhaseStarted)][1]
    assert without_mask.examples == 4


@pytest.mark.parametrize("validation", [0.0, 0.5])
def test_a_corpus_of_which_nothing_could_be_learnt_is_refused(validation: float) -> None:
    corpus = replace(CORPUS, dialogues=(LONG_QUESTION, LONG_QUESTION))
    with pytest.raises(UsageError, match="max_seq_len"):
        start(corpus, mask_prompt=True, validation=validation)


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


def test_no_question_that_it_does_not_know_is_proposed() -> None:
    corpus = replace(CORPUS, dialogues=(*DIALOGUES, (Turn("Why is the moon so round?", "Who knows."),)))
    assert "Why is the moon so round?" in start(corpus).model.card.examples
    assert (
        "Why is the moon so round?"
        not in start(replace(corpus, declines=("Who knows.",))).model.card.examples
    )
