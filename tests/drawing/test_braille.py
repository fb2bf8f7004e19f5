"""Curves in braille: where they are, who owns a cell, and that they have no gaps."""

from tinychat.drawing.braille import braille


def test_a_rising_line_goes_from_corner_to_corner() -> None:
    cells = braille([[(0, 0), (1, 1)]], (0, 1), (0, 1), 4, 2)
    assert ord(cells[1][0][0]) - 0x2800 & 0x40  # the lower left point
    assert ord(cells[0][3][0]) - 0x2800 & 0x08  # the upper right one
    assert cells[0][0] == (" ", -1)


def test_steep_curves_have_no_gaps() -> None:
    cells = braille([[(0, 0), (0.5, 0), (0.51, 1), (1, 1)]], (0, 1), (0, 1), 10, 5)
    for row in range(5):
        assert any(owner == 0 for _, owner in cells[row])


def test_a_later_curve_owns_where_both_are_and_none_is_drawn_outside_its_points() -> None:
    cells = braille([[(0, 0.5), (10, 0.5)], [(5, 0.5), (10, 0.5)], []], (0, 10), (0, 1), 10, 3)
    owners = [owner for _, owner in cells[1]]
    assert owners[:4] == [0] * 4
    assert owners[6:] == [1] * 4
    assert {owner for _, owner in cells[0]} == {-1}


def test_what_lies_outside_the_bounds_stays_at_the_edge() -> None:
    cells = braille([[(0, -5), (1, 5)]], (0, 1), (0, 1), 6, 2)
    assert cells[1][0][1] == cells[0][5][1] == 0
    assert [len(line) for line in cells] == [6, 6]
