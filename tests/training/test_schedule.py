"""The learning rate through a phase."""

import numpy as np
import pytest

from tinychat.config import TrainConfig
from tinychat.training.schedule import START, learning_rate

SCHEDULES = ("constant", "cosine", "linear", "inverse_sqrt")
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES)


def rate(progress: float, schedule: str = "constant", **changes: float) -> float:
    return learning_rate(TrainConfig(schedule=schedule, **{"lr": 0.8, **changes}), progress)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("schedule", "progress", "wanted"),
    [
        ("constant", 0.2, 0.8),
        ("constant", 0.999, 0.8),
        ("linear", 0.2, 0.8),  # the end of the warm-up
        ("linear", 0.6, 0.8 * 0.55),  # half the way down to a tenth
        ("linear", 0.8, 0.8 * 0.325),
        ("linear", 1.0, 0.08),
        ("cosine", 0.2, 0.8),
        ("cosine", 0.4, 0.8 * (0.1 + 0.9 * (1 + 0.5**0.5) / 2)),  # cos 45 degrees
        ("cosine", 0.6, 0.8 * 0.55),
        ("cosine", 0.2 + 0.8 * 2 / 3, 0.8 * 0.325),  # cos 120 degrees is -1/2
        ("cosine", 1.0, 0.08),
        ("inverse_sqrt", 0.2, 0.8),
        ("inverse_sqrt", 0.8, 0.4),  # four times as late, half as fast
        ("inverse_sqrt", 0.45, 0.8 * 2 / 3),
    ],
)
def test_values_worked_out_by_hand(schedule: str, progress: float, wanted: float) -> None:
    assert rate(progress, schedule, warmup=0.2, final_lr=0.1) == pytest.approx(wanted, rel=1e-12)


@every_schedule
def test_the_warm_up_is_the_same_for_all(schedule: str) -> None:
    assert rate(0, schedule, warmup=0.2) == pytest.approx(0.8 * START)
    assert rate(0.1, schedule, warmup=0.2) == pytest.approx(0.8 * (1 + START) / 2)
    assert rate(0.15, schedule, warmup=0.2) == pytest.approx(0.8 * (3 + START) / 4)


@every_schedule
@pytest.mark.parametrize("warmup", [1e-6, 0.2, 0.999])
def test_the_first_update_counts_and_is_small(schedule: str, warmup: float) -> None:
    first = rate(0.0, schedule, warmup=warmup)
    assert 0 < first <= 0.05 * 0.8


@pytest.mark.parametrize("schedule", SCHEDULES[:-1])
def test_without_a_warm_up_it_begins_at_the_height(schedule: str) -> None:
    assert rate(0.0, schedule) == 0.8


@pytest.mark.parametrize("progress", [0.0, 1 / 3, 0.999])
def test_a_constant_rate_is_that_of_the_config_to_the_bit(progress: float) -> None:
    assert rate(progress, lr=0.0005) == 0.0005


@every_schedule
@pytest.mark.parametrize("final_lr", [0.0, 0.3, 1.0])
def test_it_rises_to_the_height_and_then_never_again(schedule: str, final_lr: float) -> None:
    warmup = 0.25
    rates = [rate(p, schedule, warmup=warmup, final_lr=final_lr) for p in np.arange(0, 4096) / 4096]
    top = int(warmup * 4096)
    assert rates[top] == pytest.approx(0.8, rel=1e-12) == max(rates)
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) <= 0).all()
    assert min(rates) > 0
    falls = schedule == "inverse_sqrt" or (schedule != "constant" and final_lr < 1)
    assert (rates[-1] < 0.7) == falls
    # No jump anywhere: the steepest is the warm-up, or the fall to the end.
    assert np.abs(np.diff(rates)).max() < 0.8 / 4096 / warmup * 1.01


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_it_ends_where_it_is_told(schedule: str) -> None:
    assert rate(1 - 1e-9, schedule, warmup=0.1, final_lr=0.25) == pytest.approx(0.2, rel=1e-6)
    assert rate(1 - 1e-9, schedule, warmup=0.1) == pytest.approx(0, abs=1e-8)
