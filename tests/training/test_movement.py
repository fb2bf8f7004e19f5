import json
import math
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tiny_runs import PRESET, start, trained

from tinychat.config import ModelConfig, TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.records import from_json
from tinychat.training import movement
from tinychat.training.events import EpochDone, StepDone
from tinychat.training.history import SMOOTHED_UPDATES, PhaseProgress
from tinychat.training.movement import ROWS, MovementMeter, is_epoch_measured, layer_places
from tinychat.training.run import TrainingRun
from tinychat.weights import load, save

LAYERS = ["embedding", "attention.0", "feed_forward.0", "attention.1", "feed_forward.1", "output"]
CONFIGS: dict[str, dict[str, Any]] = {
    "post": {},
    "pre": {"norm_position": "pre"},
    "sandwich": {"norm_position": "sandwich", "qk_norm": True, "attention_output": True},
    "tied": {"norm_position": "pre", "tie_embeddings": True, "output_bias": False},
}


def transformer(**changes: Any) -> Transformer:
    shape = {"n_layers": 2, "d_model": 6, "d_ff": 5, "head_dim": 6, "max_seq_len": 6}
    model = Transformer(ModelConfig(vocab_size=7, **shape, **changes))
    model.parameters.initialise(np.random.default_rng(0))
    return model


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every epoch is measured, however few rows it has."""
    monkeypatch.setattr(movement, "ROWS", 1)


# One update


@pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS)
def test_every_parameter_is_in_the_layer_that_it_belongs_to(changes: dict[str, Any]) -> None:
    parameters = transformer(**changes).parameters
    places = layer_places(parameters.specs)
    assert list(places) == LAYERS
    assert all(a.stop == b.start for a, b in pairwise(places.values()))
    assert (places["embedding"].start, places["output"].stop) == (0, parameters.values.size)
    for name, place in places.items():
        parameters.values[place] = list(places).index(name)
    number = {"attention": 1, "norm1": 1, "post_norm1": 1, "feed_forward": 2, "norm2": 2, "post_norm2": 2}
    for name, view in parameters.views(parameters.values):
        kind, index = name.split(".")[:2]
        layer = {"embedding": 0, "norm": 5, "output": 5}.get(kind)
        expected = number[kind] + 2 * int(index) if layer is None else layer
        assert (view == expected).all(), name


def test_a_model_that_ends_with_its_blocks_has_no_output_layer() -> None:
    tied = transformer(tie_embeddings=True, output_bias=False)
    assert list(layer_places(tied.parameters.specs)) == LAYERS[:-1]


def test_norms_and_ratios_are_those_of_every_layer() -> None:
    parameters = transformer(norm_position="pre").parameters
    rng = np.random.default_rng(1)
    weights, grads, change = (
        rng.standard_normal(parameters.values.size).astype(np.float32) for _ in range(3)
    )
    parameters.values[...], parameters.grads[...] = weights, grads
    meter = MovementMeter(parameters)
    meter.before()
    parameters.grads.fill(0)  # an optimiser spends them
    parameters.values += change
    grad_norms, update_ratios = meter.after()
    assert list(grad_norms) == list(update_ratios) == LAYERS
    for name, place in layer_places(parameters.specs).items():
        assert grad_norms[name] == pytest.approx(norm(grads[place]), rel=1e-5)
        assert update_ratios[name] == pytest.approx(norm(change[place]) / norm(weights[place]), rel=1e-5)
    assert (parameters.values == weights + change).all()


def norm(x: Floats) -> float:
    return math.sqrt(sum(float(number) ** 2 for number in x))


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, 1e30])
def test_what_is_not_finite_is_no_figure(spoilt: float) -> None:
    """JSON has no infinity: a file with one in its history could not be read again."""
    parameters = transformer().parameters
    meter = MovementMeter(parameters)
    meter.before()
    parameters.values[0] = spoilt
    assert meter.after() == ({}, {})


# In training


def test_few_rows_are_not_measured_in_every_epoch() -> None:
    assert [epoch for epoch in range(9) if is_epoch_measured(epoch, ROWS // 3)] == [0, 4, 8]
    assert [epoch for epoch in range(9) if is_epoch_measured(epoch, ROWS - 1)] == [0, 2, 4, 6, 8]
    assert all(is_epoch_measured(epoch, ROWS) for epoch in range(9))


def test_only_some_epochs_of_a_short_run_are_measured() -> None:
    records = trained().card.progress["tune"].epochs
    assert [bool(record.grad_norms) for record in records] == [True, False, False, False, False]


def test_the_last_update_of_an_epoch_is_measured(always: None) -> None:
    """With plain descent the change of the weights is the gradient times the rate, and it is not clipped."""
    config = TrainConfig(epochs=2, lr=0.01, optimizer="sgd", momentum=0.0, clip_norm=1e9)
    run = start(preset=replace(PRESET, pretrain=config))
    parameters = run.model.transformer.parameters
    before = parameters.values.copy()
    for event in run.run():
        if isinstance(event, StepDone) and event.step < event.steps:
            before = parameters.values.copy()
        if isinstance(event, EpochDone):
            break
    assert list(event.grad_norms) == list(event.update_ratios) == LAYERS
    for name, place in layer_places(parameters.specs).items():
        moved = norm((parameters.values - before)[place])
        assert event.update_ratios[name] == pytest.approx(moved / norm(before[place]), rel=1e-3)
        assert event.grad_norms[name] == pytest.approx(moved / 0.01, rel=1e-3)


def test_gradients_are_measured_before_clipping(always: None) -> None:
    config = TrainConfig(epochs=1, accumulate=9, clip_norm=1e-3)
    progress = trained(preset=replace(PRESET, pretrain=config)).card.progress["pretrain"]
    [record] = progress.epochs  # of one update, so that the mean norm is its norm
    assert math.hypot(*record.grad_norms.values()) == pytest.approx(record.grad_norm, rel=1e-5)
    assert record.grad_norm > 0.1


def test_measuring_changes_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for rows in (1, 10**9):
        monkeypatch.setattr(movement, "ROWS", rows)
        model = trained()
        seen.append((model.transformer.parameters.values.tobytes(), model.card.progress["tune"].epochs[1]))
    assert seen[0][0] == seen[1][0]
    assert seen[0][1].grad_norms
    assert not seen[1][1].grad_norms


def test_figures_survive_an_interruption_before_the_end_of_the_epoch(always: None, tmp_path: Any) -> None:
    """Saved after the last update of an epoch, before its record."""
    whole = trained().card.progress["pretrain"].epochs[0]
    run = start()
    for event in run.run():
        if isinstance(event, StepDone) and event.step == event.steps:
            break
    model = load(save(run.model, tmp_path / "m.npz"))
    model.card.corpus_fingerprint = run.corpus.fingerprint
    rest = TrainingRun(model, run.corpus)
    record = next(event for event in rest.run() if isinstance(event, EpochDone))
    assert record.grad_norms == whole.grad_norms != {}
    assert record.update_ratios == whole.update_ratios
    assert record.smoothed_loss == whole.smoothed_loss


def test_history_of_old_files_has_no_figures() -> None:
    progress = trained().card.progress["tune"]
    old = json.loads(json.dumps(asdict(progress)))
    for record in (old, *old["epochs"]):
        for name in ("smoothed_loss", "grad_norms", "update_ratios"):
            del record[name]
    read = from_json(type(progress), old)
    assert read.smoothed_loss is None
    assert (read.epochs[0].smoothed_loss, read.epochs[0].grad_norms) == (None, {})
    assert read.epochs[0].loss == progress.epochs[0].loss


# Smoothed loss


def test_the_smoothed_loss_follows_the_updates(always: None) -> None:
    steps, records = [], []
    for event in start().run():
        if isinstance(event, StepDone) and event.phase == "pretrain":
            steps.append(event)
        if isinstance(event, EpochDone):
            records.append(event)
    expected = steps[0].loss
    for step in steps:
        expected += (step.loss - expected) * 2 / (step.steps + 1)
        assert step.smoothed_loss == pytest.approx(expected)
    assert records[1].smoothed_loss == steps[-1].smoothed_loss
    assert steps[-1].step == len(steps) // 2 > 1


def test_the_smoothed_loss_of_an_epoch_of_one_update_is_its_loss() -> None:
    progress = PhaseProgress()
    assert progress.count_update(Loss(total=8.0, tokens=2, correct=0), 1.0, 1) == 4
    assert progress.count_update(Loss(total=2.0, tokens=2, correct=0), 1.0, 1) == 1


def test_the_smoothed_loss_of_a_long_epoch_forgets_its_beginning() -> None:
    progress = PhaseProgress()
    for _ in range(20):
        progress.count_update(Loss(total=16.0, tokens=2, correct=0), 1.0, 10_000)
    for number in range(1, 101):
        smoothed = progress.count_update(Loss(total=0.0, tokens=2, correct=1), 1.0, 10_000)
        assert smoothed == pytest.approx(8 * (1 - 2 / (SMOOTHED_UPDATES + 1)) ** number)
    assert (progress.step, progress.n_tokens, progress.n_correct) == (120, 240, 100)
