"""What is kept beside the weights: their average, the best so far, and how long the best may be old."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.parameters import Floats, Ids
from tinychat.errors import WorkerError
from tinychat.training.batches import Batch
from tinychat.training.history import PhaseProgress
from tinychat.training.keeping import Keeper

NAN, INF = float("nan"), float("inf")


class Weights:
    """As much of workers and their transformer as a keeper knows of.

    The loss on a batch is the sum of weights times ids.
    """

    def __init__(self) -> None:
        self.values = np.zeros(2, np.float32)
        self.parameters = self.transformer = self

    def set(self, *values: float) -> None:
        self.values[...] = values

    def read(self, function: Callable[..., Loss], batches: Sequence[Batch]) -> list[Loss]:
        return [function(self, batch) for batch in batches]

    def loss(self, ids: Ids, targets: Ids) -> Loss:
        n = int((targets >= 0).sum())
        return Loss(float(self.values @ ids[0]) * n, n, 0)


def batch(n_tokens: int = 1, ids: Sequence[float] = (1, 0)) -> Any:
    return np.array([ids]), np.ones((1, n_tokens), np.int64)


HELD_OUT = (batch(),)
"""The loss is the first weight."""


def keeper_of(
    weights: Weights,
    held_out: Sequence[Any] = HELD_OUT,
    progress: PhaseProgress | None = None,
    extras: dict[str, Floats] | None = None,
    **recipe: Any,
) -> Keeper:
    config = TrainConfig(**({"validation": 0.1} if held_out else {}), **recipe)
    return Keeper(
        weights,  # type: ignore[arg-type]
        held_out,
        config,
        PhaseProgress() if progress is None else progress,
        {} if extras is None else extras,
    )


def epoch(keeper: Keeper, weights: Weights, *values: float) -> float | None:
    """Weights as an epoch may leave them; measured, and counted."""
    weights.set(*values)
    loss = keeper.after_epoch()
    keeper.progress.epoch += 1
    return loss


# The best


def test_at_the_end_the_weights_are_the_best() -> None:
    weights = Weights()
    keeper = keeper_of(weights)
    losses = [epoch(keeper, weights, first, second) for first, second in [(3, 1), (2, 5), (2.5, 7), (4, 9)]]
    assert losses == [3, 2, 2.5, 4]
    assert (keeper.progress.best_loss, keeper.progress.best_epoch) == (2, 2)
    assert weights.values.tolist() == [4, 9]  # until the end they go on as they are
    keeper.end()
    assert weights.values.tolist() == [2, 5]
    assert keeper.progress.is_ended


@given(st.lists(st.floats(0, 9, width=16), min_size=1))
def test_of_equally_good_weights_the_first_are_kept(losses: list[float]) -> None:
    weights = Weights()
    keeper = keeper_of(weights)
    for index, loss in enumerate(losses):
        epoch(keeper, weights, loss, index)
    keeper.end()
    best = losses.index(min(losses))
    assert weights.values.tolist() == [losses[best], best]
    assert (keeper.progress.best_loss, keeper.progress.best_epoch) == (losses[best], best + 1)


def test_the_loss_is_that_of_a_token_not_of_a_batch() -> None:
    weights = Weights()
    keeper = keeper_of(weights, (batch(1, (1, 0)), batch(3, (0, 1))))
    assert epoch(keeper, weights, 2, 10) == (2 + 3 * 10) / 4
    keeper = keeper_of(weights, (batch(0),))
    assert epoch(keeper, weights, 2, 10) == 0  # nothing to predict


@pytest.mark.parametrize("bad", [NAN, INF])
def test_what_is_not_finite_is_never_the_best(bad: float) -> None:
    weights = Weights()
    keeper = keeper_of(weights)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in (bad, 3.0, bad):
            assert epoch(keeper, weights, loss, 0) == pytest.approx(loss, nan_ok=True)
    assert (keeper.progress.best_loss, keeper.progress.best_epoch) == (3, 2)
    keeper.end()
    assert weights.values.tolist() == [3, 0]


def test_without_a_best_the_weights_stay() -> None:
    weights = Weights()
    extras: dict[str, Floats] = {}
    keeper = keeper_of(weights, extras=extras)
    epoch(keeper, weights, NAN, 4)
    assert extras == {}
    weights.set(5, 6)
    keeper.end()
    assert weights.values.tolist() == [5, 6]


def test_without_rows_held_out_nothing_is_measured() -> None:
    weights, extras = Weights(), {}
    keeper = keeper_of(weights, held_out=(), extras=extras)
    assert epoch(keeper, weights, 3, 1) is None
    assert (keeper.progress.best_loss, keeper.progress.best_epoch, extras) == (None, 0, {})
    keeper.after_update()
    keeper.end()
    assert weights.values.tolist() == [3, 1]
    assert keeper.progress.is_ended


# The average


def average(history: Sequence[Sequence[float]], decay: float) -> Floats:
    """The recursion of WeightAverage."""
    mean = np.zeros(2)
    for n, values in enumerate(history):
        d = min(decay, n / (n + 9))
        mean = d * mean + (1 - d) * np.array(values)
    return mean


HISTORY = [(1.0, 8.0), (4.0, 2.0), (2.0, 6.0), (9.0, 3.0), (5.0, 7.0)]


@pytest.mark.parametrize("decay", [0.05, 0.5, 0.99])
def test_at_the_end_the_weights_are_their_average(decay: float) -> None:
    weights, extras = Weights(), {}
    keeper = keeper_of(weights, held_out=(), extras=extras, ema_decay=decay)
    for values in HISTORY:
        weights.set(*values)
        keeper.after_update()
        assert weights.values.tolist() == list(values)
    assert keeper.progress.averaged == 5
    keeper.end()
    np.testing.assert_allclose(weights.values, average(HISTORY, decay), rtol=1e-6)
    assert extras == {}


def test_measured_and_kept_is_the_average() -> None:
    weights = Weights()
    keeper = keeper_of(weights, ema_decay=0.5)
    losses = []
    for values in HISTORY:
        weights.set(*values)
        keeper.after_update()
        losses.append(epoch(keeper, weights, *values))
        assert weights.values.tolist() == list(values)  # training goes on from where it was
    averages = [average(HISTORY[:n], 0.5) for n in range(1, 6)]
    assert losses == pytest.approx([mean[0] for mean in averages], rel=1e-6)
    best = int(np.argmin(losses))
    assert keeper.progress.best_epoch == best + 1
    keeper.end()
    np.testing.assert_allclose(weights.values, averages[best], rtol=1e-6)


def test_the_best_goes_before_the_last_average() -> None:
    weights = Weights()
    keeper = keeper_of(weights, ema_decay=0.5)
    for value in (1.0, 2.0, 3.0):
        weights.set(value, value)
        keeper.after_update()
        epoch(keeper, weights, value, value)
    keeper.end()
    assert weights.values.tolist() == [1, 1]


# Patience


@pytest.mark.parametrize(
    ("losses", "patience", "n_epochs"),
    [
        ([5, 4, 3, 2, 1], 1, None),
        ([5, 6, 4], 1, 2),
        ([5, 4, 6, 7, 1], 2, 4),
        ([5, 6, 4, 6, 3, 6, 7, 8], 2, 7),
        ([5, 5, 5], 2, 3),
        ([NAN, NAN, 1], 2, 2),
        ([1, 2, 3, 4, 5], 0, None),
    ],
)
def test_patience_is_out_after_so_many_epochs_without_a_better_loss(
    losses: list[float], patience: int, n_epochs: int | None
) -> None:
    weights = Weights()
    keeper = keeper_of(weights, patience=patience)
    assert not keeper.is_patience_out
    ended = []
    for number, loss in enumerate(losses, start=1):
        epoch(keeper, weights, loss, 0)
        if keeper.is_patience_out:
            ended.append(number)
            break
    assert ended == ([] if n_epochs is None else [n_epochs])


def test_a_loss_that_cannot_be_found_leaves_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not their average, on which it was to be found."""

    def dead(*_: object) -> list[Loss]:
        raise WorkerError("a worker process has ended")

    weights = Weights()
    keeper = keeper_of(weights, ema_decay=0.5)
    weights.set(3, 4)
    keeper.after_update()
    weights.set(8, 8)
    monkeypatch.setattr(weights, "read", dead)
    with pytest.raises(WorkerError):
        keeper.after_epoch()
    assert weights.values.tolist() == [8, 8]


def test_without_rows_held_out_patience_never_ends() -> None:
    """A single example cannot be held out."""
    keeper = Keeper(
        Weights(),  # type: ignore[arg-type]
        (),
        TrainConfig(validation=0.1, patience=1),
        PhaseProgress(),
        {},
    )
    keeper.progress.epoch = 9
    assert not keeper.is_patience_out


# The end, and going on


def test_a_phase_ends_once() -> None:
    weights, extras = Weights(), {}
    keeper = keeper_of(weights, extras=extras, ema_decay=0.5)
    keeper.after_update()
    epoch(keeper, weights, 2, 5)
    assert set(extras) == {"average", "best"}
    keeper.end()
    assert extras == {}
    weights.set(8, 8)
    extras["best"] = np.ones(2, np.float32)  # of the next phase
    keeper.end()
    assert weights.values.tolist() == [8, 8]
    assert set(extras) == {"best"}


def test_of_an_ended_phase_nothing_is_averaged() -> None:
    weights, extras = Weights(), {}
    progress = PhaseProgress(is_ended=True)
    keeper = keeper_of(weights, progress=progress, extras=extras, ema_decay=0.5)
    keeper.after_update()
    assert (progress.averaged, extras) == (0, {})


@pytest.mark.parametrize("n_before", range(6))
def test_resumed_it_keeps_the_same_bits(n_before: int) -> None:
    """All that it knows is in the progress and the extras."""

    def kept(resumed_after: int | None) -> tuple[bytes, PhaseProgress]:
        weights, extras, progress = Weights(), {}, PhaseProgress()
        keeper = keeper_of(weights, progress=progress, extras=extras, ema_decay=0.7)
        for n, values in enumerate([*HISTORY, (3.0, 3.0)]):
            if n == resumed_after:
                extras = {name: vector.copy() for name, vector in extras.items()}
                keeper = keeper_of(weights, progress=progress, extras=extras, ema_decay=0.7)
            weights.set(*values)
            keeper.after_update()
            epoch(keeper, weights, *values)
        keeper.end()
        return weights.values.tobytes(), progress

    assert kept(n_before) == kept(None)
