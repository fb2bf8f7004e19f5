"""What a recipe says of optimiser and schedule is what a run does."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import CORPUS, PRESET, start, state

from tinychat.config import TrainConfig
from tinychat.presets import Preset
from tinychat.training.events import EpochDone, StepDone
from tinychat.training.helper import Helper
from tinychat.training.optimizer import OPTIMIZERS
from tinychat.training.run import TrainingRun
from tinychat.training.schedule import learning_rate
from tinychat.weights import load, save

SCHEDULE: dict[str, Any] = {"schedule": "cosine", "warmup": 0.3, "final_lr": 0.1}


def preset_of(kind: str) -> Preset:
    changes = {**SCHEDULE, "optimizer": kind, "weight_decay": 0.0 if kind == "adam" else 0.1}
    return replace(PRESET, pretrain=replace(PRESET.pretrain, **changes), tune=replace(PRESET.tune, **changes))


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_learns_and_can_be_stopped_and_resumed(kind: str, tmp_path: Path) -> None:
    whole = start(preset=preset_of(kind))
    losses = [event.loss for event in whole.run() if isinstance(event, EpochDone) and event.phase == "tune"]
    assert whole.optimizer.kind == kind
    assert losses[-1] < losses[0]
    run = start(preset=preset_of(kind))
    n_steps = 0
    for event in run.run():
        n_steps += isinstance(event, StepDone)
        if n_steps == 13:  # amid an epoch of the second phase
            break
    again = TrainingRun(load(save(run.model, tmp_path / "run.npz")), CORPUS)
    for _ in again.run():
        pass
    assert state(again.model) == state(whole.model)


def test_every_update_has_the_rate_of_its_place_in_the_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(preset=preset_of("sgd"))
    rates = []
    step = run.optimizer.step

    def recording(config: TrainConfig, lr: float, helpers: Sequence[Helper]) -> None:
        rates.append(lr)
        step(config, lr, helpers)

    monkeypatch.setattr(run.optimizer, "step", recording)
    phases = [event.phase for event in run.run() if isinstance(event, StepDone)]
    wanted = []
    for phase, config in run.model.card.configs.items():
        n = phases.count(phase)
        wanted += [learning_rate(config, place / n) for place in range(n)]
    assert rates == pytest.approx(wanted, rel=1e-12)
    assert min(rates) > 0


@pytest.mark.parametrize("n_updates", [4, 13], ids=["in the first phase", "in the second"])
def test_each_phase_may_have_an_optimizer_of_its_own(n_updates: int, tmp_path: Path) -> None:
    mixed = replace(PRESET, tune=replace(PRESET.tune, optimizer="muon"))
    whole = start(preset=mixed)
    kinds = [whole.optimizer.kind for event in whole.run() if isinstance(event, StepDone)]
    assert sorted(set(kinds)) == ["adam", "muon"]
    assert kinds == sorted(kinds)
    run = start(preset=mixed)
    for _ in islice((event for event in run.run() if isinstance(event, StepDone)), n_updates):
        pass
    again = TrainingRun(load(save(run.model, tmp_path / "run.npz")), CORPUS)
    assert again.optimizer.kind == kinds[n_updates - 1]
    list(again.run())
    assert state(again.model) == state(whole.model)
