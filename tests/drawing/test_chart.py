"""Curves in characters."""

import pytest

from tinychat.drawing.chart import BOTH, chart


def drawn(curves: dict[str, list[tuple[float, float]]], width: int = 5, height: int = 3) -> list[str]:
    return chart(curves, (0, 4), width, height, "{:.1f}".format)


def test_a_line_falls_from_the_highest_to_the_lowest() -> None:
    assert drawn({"•": [(0, 2), (4, 0)]}) == ["    2.0 │••", "        │  •", "    0.0 │   ••"]


def test_a_mark_stands_in_every_column_between_two_points() -> None:
    lines = drawn({"•": [(0, 1), (1, 1), (4, 1)]})
    assert lines == ["    1.0 │•••••", "        │", "    1.0 │"]


def test_a_curve_is_drawn_only_as_far_as_it_goes() -> None:
    assert drawn({"•": [(1, 3), (2, 1)]}) == ["    3.0 │ •", "        │", "    1.0 │  •"]
    assert drawn({"•": [(3, 1)]})[0] == "    1.0 │   •"


def test_two_curves_on_one_scale_meet() -> None:
    lines = drawn({"•": [(0, 0), (4, 4)], "×": [(0, 4), (2, 2)]}, height=5)
    assert lines == ["    4.0 │×   •", "        │ × •", f"        │  {BOTH}", "        │ •", "    0.0 │•"]


@pytest.mark.parametrize("width", [1, 2, 40])
def test_any_width(width: int) -> None:
    lines = drawn({"•": [(0, 5), (4, 1)]}, width=width)
    assert len(lines) == 3
    assert sum(line.count("•") for line in lines) == width
