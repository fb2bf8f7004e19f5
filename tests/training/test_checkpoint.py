"""A run that keeps a file up to date: when it is written, and what can be done with it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import CORPUS, comparable, kinds, start, state, trained

from tinychat.errors import StorageError, TrainingDivergedError
from tinychat.training import checkpoint
from tinychat.training.checkpoint import EVERY_S, checkpointed
from tinychat.training.events import CheckpointSaved, EpochDone, Event, Finished, StepDone
from tinychat.training.run import TrainingRun
from tinychat.weights import load

N_EPOCHS = 7
"""Two of pre-training, five of tuning."""


class Clock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(checkpoint, "monotonic", clock)
    return clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.npz"


def finished(path: Path) -> TrainingRun:
    """Go on from the file to the end."""
    run = TrainingRun(load(path), CORPUS)
    for _ in run.run():
        pass
    return run


def until(events: Iterator[Event], kind: type[Event], number: int = 1) -> Event:
    """Iterate until the so-manieth event of a kind."""
    for event in events:
        number -= isinstance(event, kind)
        if not number:
            return event
    raise AssertionError(f"there was no {kind.name}")


def test_the_first_follows_the_first_epoch_and_the_last_precedes_the_end(path: Path) -> None:
    names = kinds(list(checkpointed(start(), path)))
    saved = [place for place, name in enumerate(names) if name == CheckpointSaved.name]
    assert saved == [names.index(EpochDone.name) + 1, len(names) - 2]
    assert names[-1] == Finished.name
    assert names.count(Finished.name) == 1


def test_the_events_are_those_of_the_run(path: Path) -> None:
    events = list(checkpointed(start(), path))
    others = [event for event in events if not isinstance(event, CheckpointSaved)]
    assert comparable(others) == comparable(start().run())


def test_nothing_is_written_before_the_end_of_the_first_epoch(path: Path) -> None:
    events = checkpointed(start(), path)
    until(events, EpochDone)
    assert list(path.parent.iterdir()) == []
    assert next(events) == CheckpointSaved(str(path))
    assert [file.name for file in path.parent.iterdir()] == ["run.npz"]


@pytest.mark.parametrize(
    ("epoch_s", "epochs"),
    [
        (0.0, [1]),
        (EVERY_S / 100, [1]),
        (EVERY_S / 3 + 0.01, [1, 4, 7]),
        (EVERY_S / 2, [1, 3, 5, 7]),
        (EVERY_S - 0.01, [1, 3, 5, 7]),
        (EVERY_S, [1, 2, 3, 4, 5, 6, 7]),
        (EVERY_S * 50, [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_it_is_written_every_so_many_seconds(
    path: Path, clock: Clock, epoch_s: float, epochs: list[int]
) -> None:
    saved, n_epochs = [], 0
    for event in checkpointed(start(), path):
        if isinstance(event, EpochDone):
            clock.now += epoch_s
            n_epochs += 1
        elif isinstance(event, CheckpointSaved):
            saved.append(n_epochs)
    assert saved == [*epochs, N_EPOCHS]  # and once more at the end
    assert n_epochs == N_EPOCHS


def test_a_slow_disk_does_not_keep_the_training_from_going_on(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seconds count from the end of a writing."""
    save = checkpoint.save

    def slow(*arguments: object) -> Path:
        clock.now += 10 * EVERY_S
        return save(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(checkpoint, "save", slow)
    assert kinds(list(checkpointed(start(), path))).count(CheckpointSaved.name) == 2


def test_from_every_checkpoint_it_goes_on_to_the_same_bits(path: Path, clock: Clock) -> None:
    wanted = state(trained())
    epochs = []
    for event in checkpointed(start(), path):
        if isinstance(event, EpochDone):
            clock.now += EVERY_S
        elif isinstance(event, CheckpointSaved):
            assert event.path == str(path)
            epochs.append(load(path).card.epochs_done)
            assert state(finished(path).model) == wanted
    assert epochs == [1, 2, 3, 4, 5, 6, 7, 7]


def test_the_file_of_a_finished_run_is_the_model(path: Path) -> None:
    run = start()
    for event in checkpointed(run, path):
        if isinstance(event, Finished):
            assert state(load(path)) == state(run.model)
    assert load(path).card.is_finished


@pytest.mark.parametrize("n_steps", [1, 3, 5, 6, 7, 12, 20, 24])
def test_whoever_stops_can_save_that_very_place(path: Path, n_steps: int) -> None:
    """Also amid an epoch: five updates are one of pre-training, three one of tuning."""
    run = start()
    until(checkpointed(run, path), StepDone, n_steps)
    if n_steps > 5:
        assert load(path).card.epochs_done == 1  # nothing was written because of the stop itself
    run.model.save(path)
    found = load(path)
    assert found.optimizer is not None
    assert found.optimizer.updates == n_steps
    assert state(finished(path).model) == state(trained())


def test_a_run_that_was_resumed_is_kept_too(path: Path) -> None:
    first = checkpointed(start(), path)
    until(first, CheckpointSaved)
    names = kinds(list(checkpointed(TrainingRun(load(path), CORPUS), path)))
    assert names.index(CheckpointSaved.name) == names.index(EpochDone.name) + 1
    assert names[-2:] == [CheckpointSaved.name, Finished.name]
    assert state(load(path)) == state(trained())


def test_zero_epochs_are_saved_all_the_same(path: Path) -> None:
    run = start(pretrain_epochs=0, tune_epochs=0)
    names = kinds(list(checkpointed(run, path)))
    assert names[-2:] == [CheckpointSaved.name, Finished.name]
    assert names.count(CheckpointSaved.name) == 1
    assert state(load(path)) == state(run.model)


def test_the_event_tells_the_path_with_its_suffix(tmp_path: Path) -> None:
    event = until(checkpointed(start(), tmp_path / "new" / "run"), CheckpointSaved)
    assert event == CheckpointSaved(str(tmp_path / "new" / "run.npz"))
    assert (tmp_path / "new" / "run.npz").is_file()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "regular").write_text("")
    events = checkpointed(start(), tmp_path / "regular" / "run.npz")
    until(events, EpochDone)
    with pytest.raises(StorageError, match="regular"):
        next(events)


def test_a_place_that_can_no_longer_be_written(path: Path) -> None:
    run = start()
    events = checkpointed(run, path)
    until(events, CheckpointSaved)
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError, match=r"run\.npz"):
        until(events, Finished)
    assert [file.name for file in path.parent.iterdir()] == ["run.npz"], "a temporary file was left"
    # What was learnt is not lost: the model is whole, and can be saved elsewhere.
    run.model.save(path.with_name("elsewhere.npz"))
    assert state(load(path.with_name("elsewhere.npz"))) == state(trained())


def test_after_divergence_the_last_good_file_is_there(path: Path) -> None:
    run = start()
    events = checkpointed(run, path)
    until(events, CheckpointSaved)
    kept = path.read_bytes()
    run.model.transformer.parameters.values[:] = np.nan
    with pytest.raises(TrainingDivergedError):
        until(events, Finished)
    assert path.read_bytes() == kept
    assert state(finished(path).model) == state(trained())
