"""The moving average of the weights."""

import tracemalloc

import numpy as np
import pytest

from tinychat.core.parameters import Floats
from tinychat.training import blocks
from tinychat.training.average import WeightAverage


def random_weights(n: int, length: int = 40, dtype: type[np.floating] = np.float64) -> list[Floats]:
    return list(np.random.default_rng(0).standard_normal((n, length)).astype(dtype))


def averaged(weights: list[Floats], decay: float, ema: Floats | None = None) -> Floats:
    mean = WeightAverage(np.zeros_like(weights[0]) if ema is None else ema)
    for values in weights:
        mean.update(values, decay)
    return mean.ema


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_the_recursion_of_the_docstring(decay: float, dtype: type[np.floating]) -> None:
    weights = random_weights(100, dtype=dtype)
    wanted = np.zeros(40)
    for n, values in enumerate(weights):
        d = min(decay, n / (n + 9))
        wanted = d * wanted + (1 - d) * values.astype(np.float64)
    found = averaged(weights, decay)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14 if dtype is np.float64 else 1e-6)


def test_the_rule_is_that_of_tensorflow_from_the_second_update_on() -> None:
    """Its num_updates counts from 0, and its average begins as a copy of the weights."""
    weights = random_weights(30)
    wanted = weights[0]
    for num_updates, values in enumerate(weights[1:]):
        decay = min(0.6, (1 + num_updates) / (10 + num_updates))
        wanted = decay * wanted + (1 - decay) * values
    np.testing.assert_allclose(averaged(weights, 0.6), wanted, rtol=0, atol=1e-14)


def test_the_first_update_copies_the_weights_whatever_was_there() -> None:
    (weights,) = random_weights(1, dtype=np.float32)
    assert averaged([weights], 0.999, np.full(40, 7, np.float32)).tobytes() == weights.tobytes()


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_the_weights_of_the_start_are_soon_forgotten(n: int) -> None:
    """At a decay that would still hold on to them, and without the warm start would hold nothing else."""
    early = [np.full(1, float(i < n // 2)) for i in range(n)]
    assert averaged(early, 0.9999)[0] < 0.02
    plain = 1.0
    for values in early:
        plain = 0.9999 * plain + 0.0001 * values[0]
    assert plain > 0.9


def test_an_old_average_decays_by_the_decay() -> None:
    mean = WeightAverage(np.ones(1), updates=10_000)
    for _ in range(100):
        mean.update(np.zeros(1), 0.99)
    assert mean.ema[0] == pytest.approx(0.99**100, rel=1e-12)
    assert mean.updates == 10_100


def test_of_weights_that_stay_it_stays() -> None:
    assert averaged([np.ones(5)] * 50, 0.95) == pytest.approx(np.ones(5), rel=1e-14)


def test_from_what_is_saved_it_goes_on_to_the_same_bits() -> None:
    weights = random_weights(20, dtype=np.float32)
    first = WeightAverage(np.zeros(40, np.float32))
    for values in weights[:7]:
        first.update(values, 0.9)
    second = WeightAverage(first.ema.copy(), first.updates)
    for values in weights[7:]:
        second.update(values, 0.9)
    assert second.ema.tobytes() == averaged(weights, 0.9).tobytes()
    third = WeightAverage(first.ema.copy())  # and the count is needed for that
    for values in weights[7:]:
        third.update(values, 0.9)
    assert third.ema.tobytes() != second.ema.tobytes()


@pytest.mark.parametrize("block", [1, 7, 39, 40, 41])
def test_where_a_block_ends_changes_no_bit(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = random_weights(20, dtype=np.float32)
    whole = averaged(weights, 0.9)
    monkeypatch.setattr(blocks, "BLOCK", block)
    assert averaged(weights, 0.9).tobytes() == whole.tobytes()


def test_it_is_in_place_and_leaves_the_weights_alone() -> None:
    ema, values = np.zeros(2 * blocks.BLOCK + 5, np.float32), np.ones(2 * blocks.BLOCK + 5, np.float32)
    mean = WeightAverage(ema)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        mean.update(values, 0.9)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 32 * 1024
    assert mean.ema is ema
    assert (ema == 1).all()
    assert (values == 1).all()
