import json
from dataclasses import asdict
from typing import Any

import pytest
from tiny_runs import start

from tinychat.errors import ConfigError
from tinychat.records import from_json
from tinychat.training.events import Event, StepDone
from tinychat.training.history import PhaseProgress


def states() -> list[dict[str, Any]]:
    """Of a phase before its first update, within both its epochs, and after the last."""
    run = start()
    progress = run.model.card.progress["pretrain"]
    found = [asdict(progress)]
    for number, _ in enumerate(run.run()):
        if number in (4, 10):
            found.append(asdict(progress))
    return [*found, asdict(progress)]


def test_round_trip_through_json() -> None:
    places = []
    for state in states():
        progress = from_json(PhaseProgress, json.loads(json.dumps(state)))
        assert asdict(progress) == state
        places.append((progress.epoch, progress.step > 0))
    assert places == [(0, False), (0, True), (1, True), (2, False)]


def test_last_loss() -> None:
    first, *_, last = (from_json(PhaseProgress, state) for state in states())
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
        {"step": -1},
        {"loss_sum": None},
        {"seconds": []},
        {"unheard_of": 1},
    ],
)
def test_a_damaged_state_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        from_json(PhaseProgress, {**states()[-1], **damage})


def test_events_are_ready_for_json_and_cannot_be_changed() -> None:
    events: list[Event] = list(start().run())
    for event in events:
        record = json.loads(json.dumps(event.to_dict()))
        assert record.pop("event") == type(event).name
        assert type(event)(**record) == event
    step = next(event for event in events if isinstance(event, StepDone))
    with pytest.raises(AttributeError):
        step.loss = 0.0  # type: ignore[misc]
