"""A run that was stopped goes on to the bits that it would have had."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from features import ALL_OF_IT, CHAR_OF_ALL, FEATURES, ROOM, resumed
from tiny_runs import CORPUS, DIALOGUES, FACTS, comparable, kinds, start, state, trained

from tinychat import weights
from tinychat.corpus import Corpus
from tinychat.errors import UsageError
from tinychat.training.events import EpochDone, Finished, PhaseDone, SampleDrawn, StepDone
from tinychat.training.run import TrainingRun


def unfinished(run: TrainingRun) -> tuple[str, int] | None:
    """The phase that a run is in, and the epochs of it that are done; None after the last."""
    card = run.model.card
    for phase, config in card.configs.items():
        progress = card.progress[phase]
        waited = progress.epoch - progress.best_epoch
        if progress.epoch < config.epochs and not (config.patience and waited >= config.patience):
            return phase, progress.epoch
    return None


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
    events = []
    for event in whole.run():
        events.append(event)
        weights.save(whole.model, tmp_path / f"{len(events)}.npz")
    wanted = state(whole.model)
    assert wanted == state(trained(**changes))
    assert len(events) > 20
    for cut in range(1, len(events) + 1):
        seen = events[:cut]
        rest = TrainingRun(weights.load(tmp_path / f"{cut}.npz"), whole.corpus)
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
