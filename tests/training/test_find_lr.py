"""A range of learning rates tried in one short run."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_runs import CORPUS, FACTS, start, tiny_config

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.tokenizer import WordTokenizer
from tinychat.training import find_lr
from tinychat.training.batches import Drawing, to_batch
from tinychat.training.find_lr import (
    BLOWN_UP,
    HIGHEST,
    LOWEST,
    SMOOTHING,
    UPDATES,
    YOUNG,
    Trial,
    steepest,
    try_rates,
)
from tinychat.training.rows import FactRows, RowSource

TOKENIZER = WordTokenizer.train(CORPUS.texts())
SOURCE = FactRows(FACTS, TOKENIZER, 24)


def transformer() -> Transformer:
    new = Transformer(tiny_config(TOKENIZER.vocab_size))
    new.parameters.initialise(np.random.default_rng(0))
    return new


def tried(seed: int = 0, model: Transformer | None = None, **recipe: Any) -> list[Trial]:
    return try_rates(model or transformer(), SOURCE, TrainConfig(**recipe), np.random.default_rng(seed))


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """What the model says instead of its losses, nats a token, one for each update; the last for ever."""
    said: list[float] = []
    number = iter(range(10_000))

    def loss_and_gradients(model: Transformer, *batch: Any) -> Loss:
        model.parameters.grads.fill(0)
        return Loss(said[min(next(number), len(said) - 1)] * 7, 7, 0)

    monkeypatch.setattr(Transformer, "loss_and_gradients", loss_and_gradients)
    return said


def test_rates_rise_by_the_same_factor_from_lowest_to_highest(losses: list[float]) -> None:
    losses += [3.0]
    rates = [trial.lr for trial in tried()]
    assert len(rates) == UPDATES
    assert (rates[0], rates[-1]) == (pytest.approx(LOWEST), pytest.approx(HIGHEST))
    factors = np.array(rates[1:]) / rates[:-1]
    np.testing.assert_allclose(factors, factors[0], rtol=1e-9)


def test_losses_are_smoothed_without_a_bias_to_zero(losses: list[float]) -> None:
    """A moving average by its definition: weights that fall by a factor with age, divided by their sum."""
    losses += [4.0, 3.0, 3.5, 2.0, 2.5]
    found = [trial.loss for trial in tried()][:5]
    for n, loss in enumerate(found, start=1):
        weights = SMOOTHING ** np.arange(n)[::-1]
        assert loss == pytest.approx(float(weights @ losses[:n] / weights.sum()), rel=1e-12)
    assert found[0] == pytest.approx(4.0)


def test_it_ends_when_the_loss_has_blown_up(losses: list[float]) -> None:
    losses += [3.0] * 20 + [9.0]
    trials = tried()
    lowest = min(trial.loss for trial in trials)
    assert len(trials) > 21
    assert trials[-1].loss > BLOWN_UP * lowest
    assert all(trial.loss <= BLOWN_UP * lowest for trial in trials[:-1])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_it_ends_before_a_loss_that_is_not_finite(losses: list[float], bad: float) -> None:
    losses += [3.0] * 8 + [bad]
    assert [trial.loss for trial in tried()] == pytest.approx([3.0] * 8)


def test_it_ends_before_a_gradient_that_is_not_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    real, number = Transformer.loss_and_gradients, iter(range(1000))

    def loss_and_gradients(model: Transformer, *batch: Any) -> Loss:
        loss = real(model, *batch)
        if next(number) == 5:
            model.parameters.grads[0] = np.nan
        return loss

    monkeypatch.setattr(Transformer, "loss_and_gradients", loss_and_gradients)
    assert len(tried()) == 5


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "muon"])
def test_each_update_is_one_of_training_at_its_rate(optimizer: str) -> None:
    """One row alone, so that every batch is the same: the losses are those of updates by hand."""
    source = FactRows(FACTS[1:2], TOKENIZER, 24)
    config = TrainConfig(optimizer=optimizer, clip_norm=0.5)
    model, by_hand = transformer(), transformer()
    trials = try_rates(model, source, config, np.random.default_rng(0))
    optimiser = find_lr.make_optimizer(optimizer, by_hand.parameters)
    average = 0.0
    for n, trial in enumerate(trials[:40], start=1):
        loss = by_hand.loss_and_gradients(*to_batch(source.clean))
        grads = by_hand.parameters.grads
        norm = math.sqrt(np.dot(grads, grads))
        grads *= min(1.0, 0.5 / norm)
        optimiser.step(config, trial.lr)
        average = 0.9 * average + 0.1 * loss.mean
        assert trial.loss == pytest.approx(average / (1 - 0.9**n), rel=1e-4)


def test_low_rates_change_nothing_and_good_ones_help() -> None:
    trials = tried()
    losses = [trial.loss for trial in trials]
    assert losses[20] == pytest.approx(losses[10], rel=0.1)
    assert min(losses) < 0.8 * losses[10]
    assert 1e-5 < steepest(trials) < 0.3


def test_the_generator_alone_decides() -> None:
    """On what is drawn, the order of the batches and what is dropped."""
    assert tried(batch_size=2) == tried(batch_size=2)
    assert tried(batch_size=2) != tried(seed=1, batch_size=2)


@pytest.mark.parametrize(("batch_size", "accumulate"), [(1, 1), (2, 1), (1, 3), (2, 2)])
def test_a_batch_is_as_large_as_those_of_an_update_together(
    batch_size: int, accumulate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = set()

    class Watched(Drawing):
        def __init__(self, source: RowSource, size: int, rng: np.random.Generator) -> None:
            sizes.add(size)
            super().__init__(source, size, rng)

    monkeypatch.setattr(find_lr, "Drawing", Watched)
    tried(batch_size=batch_size, accumulate=accumulate)
    assert sizes == {batch_size * accumulate}


def test_every_row_is_seen_before_one_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    real = Transformer.loss_and_gradients

    def watched(model: Transformer, ids: np.ndarray, *rest: Any) -> Loss:
        seen.append(tuple(ids[0].tolist()))
        return real(model, ids, *rest)

    monkeypatch.setattr(Transformer, "loss_and_gradients", watched)
    tried()
    assert len(set(seen[:5])) == len(set(seen)) == len(FACTS)
    assert seen[5:10] == seen[:5]


def test_what_is_dropped_is_drawn_for_a_model_with_dropout_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_by = []
    real = Transformer.loss_and_gradients

    def watched(model: Transformer, ids: Any, targets: Any, rng: Any = None) -> Loss:
        drawn_by.append(rng)
        return real(model, ids, targets, rng)

    monkeypatch.setattr(Transformer, "loss_and_gradients", watched)
    tried()
    assert set(drawn_by) == {None}
    drawn_by.clear()
    run = start(dropout=0.2)
    rng = np.random.default_rng(0)
    try_rates(run.model.transformer, SOURCE, TrainConfig(), rng)
    assert set(drawn_by) == {rng}


def test_of_a_run_each_phase_is_tried_from_the_same_weights() -> None:
    run = start()
    values = run.model.transformer.parameters.values
    before = values.tobytes()
    found = dict(run.try_rates())
    assert list(found) == ["pretrain", "tune"]
    assert values.tobytes() == before
    assert dict(start().try_rates()) == found
    only_tune = dict(start(CORPUS.__class__("tiny", (), CORPUS.dialogues)).try_rates())
    assert list(only_tune) == ["tune"]


# The steepest


def trials_of(losses: list[float]) -> list[Trial]:
    return [Trial(10.0**n, loss) for n, loss in enumerate(losses)]


@pytest.mark.parametrize(
    ("losses", "place"),
    [
        ([5, 5, 4, 2, 1.5, 1.4], 2),  # (2 - 5) / 2 is the largest drop
        ([5, 4, 4, 4], 0),
        ([5, 4.9, 4.8, 2], 3),
        ([5, 6, 7], 0),
        ([5, 4], 0),
        ([4], 0),
    ],
)
def test_the_steepest_is_where_the_loss_falls_most(losses: list[float], place: int) -> None:
    assert steepest(trials_of(losses)) == 10.0**place


def test_what_the_first_batches_differ_by_is_no_fall() -> None:
    """Their smoothed loss is that of one, two, three batches."""
    losses = [9.0, 5.0, 6.0, *[5.5] * (YOUNG - 3), 5.4, 5.3, 4.9, 4.8, 4.8]
    assert steepest(trials_of(losses)) == 10.0 ** (YOUNG + 1)
    assert steepest(trials_of(losses[:YOUNG])) == 1.0  # there is nothing else


def test_a_fall_after_the_lowest_loss_does_not_count() -> None:
    """There the rate is too high already, and the loss goes up and down."""
    assert steepest(trials_of([5, 5, 4.6, 4, 3.9, 6, 9, 5, 4.1])) == 10.0**2


@given(st.lists(st.floats(0, 10), min_size=2, max_size=40))
def test_no_other_rate_has_a_larger_drop(losses: list[float]) -> None:
    n = len(losses)
    drops = [
        (losses[max(0, i - 1)] - losses[min(n - 1, i + 1)]) / (min(n - 1, i + 1) - max(0, i - 1))
        for i in range(n)
    ]
    place = round(math.log10(steepest(trials_of(losses))))
    first = YOUNG if n > YOUNG else 0
    lowest = min(range(first, n), key=losses.__getitem__)
    assert first <= place <= lowest
    assert drops[place] == pytest.approx(max(drops[first : lowest + 1]), abs=1e-9)
