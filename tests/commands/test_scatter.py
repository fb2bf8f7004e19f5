"""The map of characters."""

from io import StringIO

import numpy as np
from rich.console import Console

from tinychat.commands.scatter import draw_embedding
from tinychat.drawing.scatter import DOT
from tinychat.inspection import EmbeddingMap


def drawn(
    tokens: dict[str, tuple[float, float]], named: set[int] | None = None, width: int = 20
) -> list[str]:
    points = np.array(list(tokens.values()), float)
    out = StringIO()
    console = Console(file=out, width=width, markup=False, highlight=False)
    draw_embedding(console, EmbeddingMap(tuple(tokens), points, np.array([0.5, 0.25])), named)
    return out.getvalue().splitlines()[:24]


def test_tokens_stand_at_their_places() -> None:
    lines = drawn({"left": (-1, -1), "right": (1, 1), "mid": (0, 0.05)})
    assert lines[0] == "right".rjust(20)
    assert lines[23] == "left"
    assert lines[11] == " " * 10 + "mid"
    assert not any(line for number, line in enumerate(lines) if number not in (0, 11, 23))


def test_where_two_names_have_no_room_the_one_farther_out_is_told() -> None:
    tokens = {"a": (-9, 0), "b": (9, 1), "near": (0.5, 1), "far": (0.9, 1)}
    line = drawn(tokens)[0]
    assert line.split() == ["far", "b"]
    assert drawn({**tokens, "far": (0.2, 1)})[0].split() == ["near", "b"]


def test_what_is_not_asked_for_is_a_dot() -> None:
    lines = drawn({"left": (-1, -1), "right": (1, 1)}, named={1})
    assert lines[23] == DOT
    assert lines[0].endswith("right")


def test_a_name_that_is_too_long_is_a_dot() -> None:
    lines = drawn({"x" * 30: (-1, 0), "b": (1, 1)})
    assert lines[23] == DOT


def test_wide_characters_move_nothing() -> None:
    lines = drawn({"月月": (-1, 0), "b": (1, 0.0), "c": (0, 1)})
    assert lines[23] == "月月" + " " * 15 + "b"


def test_all_in_one_place() -> None:
    assert drawn({"a": (0, 0), "b": (0, 0)})[23] == "a"
