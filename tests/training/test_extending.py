"""A run with more epochs is as if it had been longer from the start."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from features import ALL_OF_IT, FEATURES, resumed
from tiny_runs import CORPUS, start, state, trained, with_epochs

from tinychat.training.events import EpochDone
from tinychat.training.run import TrainingRun


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
