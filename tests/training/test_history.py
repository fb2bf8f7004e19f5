import json
from typing import Any

import pytest
from tiny_runs import start

from tinychat.errors import WeightsError
from tinychat.training.events import EpochDone, Event, StepDone
from tinychat.training.history import PhaseProgress


def states() -> list[dict[str, Any]]:
    """Of a phase before its first update, within an epoch, and after the last."""
    run = start()
    progress = run.model.card.progress["pretrain"]
    found = [progress.to_dict()]
    for number, _ in enumerate(run.run()):
        if number in (4, 10):
            found.append(progress.to_dict())
    return [*found, progress.to_dict()]


def test_round_trip_through_json() -> None:
    for state in states():
        progress = PhaseProgress.from_dict(json.loads(json.dumps(state)))
        assert progress.to_dict() == state
        assert all(isinstance(record, EpochDone) for record in progress.epochs)
    assert {(state["epoch"], state["step"] > 0) for state in states()} == {(0, False), (0, True), (1, True), (2, False)}


def test_a_state_does_not_change_with_the_run() -> None:
    run = start()
    progress = run.model.card.progress["pretrain"]
    state = progress.to_dict()
    kept = json.dumps(state)
    for _ in run.run():
        pass
    assert json.dumps(state) == kept


def test_last_loss() -> None:
    first, *_, last = (PhaseProgress.from_dict(state) for state in states())
    assert first.last_loss is None
    assert last.last_loss == last.epochs[-1].loss


@pytest.mark.parametrize(
    "damage",
    [
        {"epochs": []},
        {"epochs": None},
        {"epochs": [{}, {}]},
        {"epochs": [1, 2]},
        {"epoch": 1},
        {"step": "0"},
        {"loss_sum": None},
        {"seconds": []},
        {"unheard_of": 1},
    ],
)
def test_a_damaged_state_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(WeightsError, match="history is damaged"):
        PhaseProgress.from_dict({**states()[-1], **damage})


def test_events_are_ready_for_json_and_cannot_be_changed() -> None:
    events: list[Event] = list(start().run())
    for event in events:
        record = json.loads(json.dumps(event.to_dict()))
        assert record.pop("event") == type(event).name
        assert type(event)(**record) == event
    step = next(event for event in events if isinstance(event, StepDone))
    with pytest.raises(AttributeError):
        step.loss = 0.0  # type: ignore[misc]
