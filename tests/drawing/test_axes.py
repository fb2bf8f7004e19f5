"""Ticks are round, within the axis, and no more than there is room for."""

import pytest

from tinychat.drawing.axes import log_ticks, ticks


@pytest.mark.parametrize(
    ("low", "high", "at_most", "expected"),
    [
        (0, 10, 6, [0, 2, 4, 6, 8, 10]),
        (0, 10, 3, [0, 5, 10]),
        (1, 100, 6, [20, 40, 60, 80, 100]),
        (0.2, 0.45, 6, [0.2, 0.25, 0.3, 0.35, 0.4, 0.45]),
        (-3, 3, 4, [-2, 0, 2]),
        (1, 1, 5, [1]),
    ],
)
def test_ticks(low: float, high: float, at_most: int, expected: list[float]) -> None:
    assert ticks(low, high, at_most) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "at_most", "expected"),
    [
        (0.01, 1, 9, [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]),
        (0.01, 1, 5, [0.01, 0.03, 0.1, 0.3, 1]),
        (1e-6, 10, 5, [1e-6, 1e-4, 1e-2, 1]),
        (0.6, 0.7, 5, [0.6, 0.7]),
        (0.0, 1.0, 5, [0.0]),
    ],
)
def test_log_ticks(low: float, high: float, at_most: int, expected: list[float]) -> None:
    assert log_ticks(low, high, at_most) == pytest.approx(expected)


@pytest.mark.parametrize("high", [0.003, 0.7, 1, 7.5, 99, 1e6])
@pytest.mark.parametrize("at_most", [2, 4, 8])
def test_there_is_room_for_all(high: float, at_most: int) -> None:
    for found in (ticks(0, high, at_most), log_ticks(high / 500, high, at_most)):
        assert 2 <= len(found) <= max(2, at_most)
        assert found == sorted(found)
        assert -1e-9 <= found[0] < found[-1] <= high * (1 + 1e-9)
