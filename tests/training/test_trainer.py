"""One phase: the events of its epochs, and what their figures are."""

import math
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from tiny_runs import CORPUS, DIALOGUES, FACTS, PRESET, kinds, start, tiny_config

from tinychat.config import IGNORE, TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.errors import TrainingDivergedError
from tinychat.generation.reply import reply_to
from tinychat.model import Model
from tinychat.training.adam import Adam
from tinychat.training.batches import Batch, to_batch
from tinychat.training.events import (
    EpochDone,
    Event,
    PhaseDone,
    PhaseStarted,
    SampleDrawn,
    StepDone,
)
from tinychat.training.optimizer import clip_by_global_norm_
from tinychat.training.rows import DialogueRows, FactRows, RowSource
from tinychat.training.run import TrainingRun
from tinychat.training.workers import Workers


def batches_of(run: TrainingRun) -> dict[str, list[Batch]]:
    """Phase -> one batch a row."""
    tokenizer, context = run.model.tokenizer, run.model.config.max_seq_len
    sources: dict[str, RowSource] = {
        "pretrain": FactRows(CORPUS.facts, tokenizer, context),
        "tune": DialogueRows(CORPUS.dialogues, tokenizer, context, TrainConfig()),
    }
    return {phase: [to_batch([row], context) for row in source.clean] for phase, source in sources.items()}


def n_tokens(batches: list[Batch]) -> int:
    return sum(int(np.count_nonzero(targets != IGNORE)) for _, targets in batches)


def test_the_order_of_events() -> None:
    epoch = [StepDone.name, EpochDone.name, SampleDrawn.name]
    events = list(start().run())
    phases = [[name for name, _ in groupby(kinds(events))]]
    assert (
        phases
        == [
            [
                PhaseStarted.name,
                SampleDrawn.name,  # what a model says that has learnt nothing
                *epoch,  # 1: the first
                *epoch,  # 2: the last
                PhaseDone.name,
                PhaseStarted.name,
                SampleDrawn.name,
                *epoch,  # 1: the first
                *epoch,  # 2: every second
                *epoch[:2],  # 3
                *epoch,  # 4: every second
                *epoch,  # 5: the last
                PhaseDone.name,
                "finished",
            ]
        ]
    )


def test_counts() -> None:
    run = start()
    batches = batches_of(run)
    events = list(run.run())
    for phase, examples, epochs, lr in (("pretrain", FACTS, 2, 0.005), ("tune", DIALOGUES, 5, 0.002)):
        mine = [event for event in events if getattr(event, "phase", None) == phase]
        n = len(examples)
        assert mine[0] == PhaseStarted(phase, epochs, n, n_tokens(batches[phase]), lr)
        steps = [(e.epoch, e.step, e.steps) for e in mine if isinstance(e, StepDone)]
        assert steps == [(epoch, step, n) for epoch in range(1, epochs + 1) for step in range(1, n + 1)]
        records = [event for event in mine if isinstance(event, EpochDone)]
        assert [(r.epoch, r.epochs) for r in records] == [(e, epochs) for e in range(1, epochs + 1)]
        done = mine[-1]
        assert isinstance(done, PhaseDone)
        assert (done.epochs, done.loss) == (epochs, records[-1].loss)
        samples = [event.epoch for event in mine if isinstance(event, SampleDrawn)]
        assert samples == ([0, 1, 2] if phase == "pretrain" else [0, 1, 2, 4, 5])
        progress = run.model.card.progress[phase]
        assert progress.epochs == records
        assert (progress.epoch, progress.step) == (epochs, 0)


def test_every_figure_is_that_of_a_plain_loop() -> None:
    """Go through the run beside it, with weights of our own, and tell every example by its loss."""
    run = start()
    batches = batches_of(run)
    model = Transformer(tiny_config(run.model.tokenizer.vocab_size))
    parameters = model.parameters.initialise(np.random.default_rng(0))
    adam = Adam(parameters)
    configs = run.model.card.configs
    order: list[int] = []
    orders: list[tuple[str, list[int]]] = []
    losses, norms = [], []
    for event in run.run():
        if isinstance(event, StepDone):
            here = batches[event.phase]
            found = [model.loss(*here[i]).mean for i in range(len(here))]
            assert found.count(event.loss) == 1
            order.append(found.index(event.loss))
            losses.append(model.loss_and_gradients(*here[order[-1]]))
            norms.append(float(np.linalg.norm(parameters.grads)))
            clip_by_global_norm_(parameters.grads, configs[event.phase].clip_norm)
            adam.step(configs[event.phase], configs[event.phase].lr)
            assert parameters.values.tobytes() == run.model.transformer.parameters.values.tobytes()
        elif isinstance(event, EpochDone):
            tokens = sum(loss.tokens for loss in losses)
            assert tokens == n_tokens(batches[event.phase])
            assert event.loss == pytest.approx(sum(loss.total for loss in losses) / tokens, rel=1e-12)
            assert event.perplexity == pytest.approx(math.exp(event.loss), rel=1e-12)
            assert event.accuracy == sum(loss.correct for loss in losses) / tokens
            assert event.grad_norm == pytest.approx(sum(norms) / len(norms), rel=1e-5)
            assert sorted(order) == list(range(len(batches[event.phase])))  # every example once
            orders.append((event.phase, order))
            order, losses, norms = [], [], []
    assert len(orders) == 7
    drawn = [tuple(order) for phase, order in orders if phase == "tune"]
    assert len(set(drawn)) > 1, "every epoch in the same order"


def test_a_norm_limit_that_binds_changes_the_weights_and_not_the_norm_that_is_told() -> None:
    limit = replace(PRESET, pretrain=replace(PRESET.pretrain, clip_norm=0.01, epochs=1))
    events = [list(start(preset=p, pretrain_epochs=1).run()) for p in (PRESET, limit)]
    first = [next(e for e in found if isinstance(e, StepDone)).loss for found in events]
    assert first[0] == first[1]
    norms = [next(e for e in found if isinstance(e, EpochDone)).grad_norm for found in events]
    assert min(norms) > 0.1


def test_seconds_left() -> None:
    events = list(start().run())
    for phase in ("pretrain", "tune"):
        records = [e for e in events if isinstance(e, EpochDone) and e.phase == phase]
        assert records[-1].seconds_left == 0
        assert all(record.seconds_left > 0 for record in records[:-1])
        assert all(record.tokens_per_s > 0 for record in records)


def test_samples_are_what_the_model_writes_then() -> None:
    run = start()
    model = run.model
    texts: dict[str, list[str]] = {"pretrain": [], "tune": []}
    for event in run.run():
        if isinstance(event, SampleDrawn):
            # A fact is written on; a question is answered.
            chat = event.phase == "tune"
            assert event.prompt == ("What falls from clouds?" if chat else "Rain falls")
            assert event.text == reply_to(event.prompt, model.transformer, model.tokenizer, chat).finish()
            texts[event.phase].append(event.text)
    assert {phase: len(found) for phase, found in texts.items()} == {"pretrain": 3, "tune": 5}
    assert texts["tune"][-1] == model.ask("What falls from clouds?")


def poison(model: Model, value: float) -> None:
    parameters = model.transformer.parameters
    if np.isnan(value):
        parameters.scope("feed_forward.1")["w_up"][0, 0] = value
    else:
        parameters.values *= value


def run_for(updates: int) -> TrainingRun:
    run = start()
    events = run.run()
    for _ in range(updates):
        while not isinstance(next(events), StepDone):
            pass
    return run


@pytest.mark.parametrize("value", [np.nan, 1e30])
@pytest.mark.parametrize("after", [0, 3, 5, 12])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_divergence_stops_the_run_before_the_weights_are_touched(value: float, after: int) -> None:
    run = run_for(after)
    optimizer = run.optimizer
    poison(run.model, value)
    values = run.model.transformer.parameters.values.tobytes()
    kept = [*(vector.tobytes() for vector in optimizer.state.values()), optimizer.updates]
    steps = [progress.step for progress in run.model.card.progress.values()]
    events: list[Event] = []
    with pytest.raises(TrainingDivergedError) as caught:
        events.extend(run.run())
    assert not any(isinstance(event, StepDone) for event in events)
    assert run.model.transformer.parameters.values.tobytes() == values
    assert [*(vector.tobytes() for vector in optimizer.state.values()), optimizer.updates] == kept
    # 5 is the last update of an epoch: its record is still written, from good figures.
    assert [progress.step for progress in run.model.card.progress.values()] == (
        [0, 0] if after == 5 else steps
    )
    assert "\n" not in str(caught.value)
    assert ("tune" if after > 10 else "pretrain") in str(caught.value)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_gradient_that_is_not_finite_stops_the_run_though_the_loss_is() -> None:
    run = run_for(3)
    parameters = run.model.transformer.parameters
    parameters.scope("norm2.1")["gain"][...] *= 1e25
    parameters.scope("output")["w_out"][...] *= 1e-25
    parameters.scope("norm2.1")["bias"][...] = 0
    kept = parameters.values.tobytes()
    assert math.isfinite(run.model.transformer.loss(*batches_of(run)["pretrain"][0]).total)
    with pytest.raises(TrainingDivergedError):
        list(run.run())
    assert parameters.values.tobytes() == kept


@pytest.mark.filterwarnings("error")  # and one error is enough: no warnings of NumPy above it
def test_a_learning_rate_far_too_large_ends_in_the_error() -> None:
    """Never in NaN that nobody tells."""
    wild = replace(PRESET, pretrain=replace(PRESET.pretrain, lr=1e30, epochs=3))
    run = start(preset=wild)
    events: list[Event] = []
    with pytest.raises(TrainingDivergedError):
        events.extend(run.run())
    assert all(math.isfinite(event.loss) for event in events if isinstance(event, StepDone))


def test_no_rows_are_drawn_of_an_epoch_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing, learn, n_drawn = FactRows.drawing, Workers.loss_and_gradients, []

    def counted(self: FactRows, rng: np.random.Generator) -> Any:
        n_drawn.append(1)
        return (yield from drawing(self, rng))

    def patiently(self: Workers, rows: Any, rngs: Any, meanwhile: Any = None) -> Loss:
        while meanwhile and meanwhile():
            pass
        return learn(self, rows, rngs)

    monkeypatch.setattr(FactRows, "drawing", counted)
    monkeypatch.setattr(Workers, "loss_and_gradients", patiently)
    events = start(replace(CORPUS, dialogues=()), batch_size=5, pretrain_epochs=3).run()
    found = [(event.epoch, len(n_drawn)) for event in events if isinstance(event, EpochDone)]
    assert found == [(1, 2), (2, 3), (3, 3)]
