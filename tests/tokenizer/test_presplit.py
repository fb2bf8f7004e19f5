"""The pre-split is that of GPT-2, to the character."""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinychat.tokenizer.presplit import SPACE, letter_and_number, pieces_of

CONTROL_SPACES = "\t\n\x0b\x0c\r\x85"
"""White space of Unicode that is not in a category of spaces."""
CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


def kind(char: str) -> str:
    """L, N, S or P: letters, numbers, white space, and the rest."""
    category = unicodedata.category(char)
    if char in CONTROL_SPACES or category[0] == "Z":
        return "S"
    return category[0] if category[0] in "LN" else "P"


def gpt2_split(text: str) -> list[str]:
    """The alternatives of GPT-2's expression, tried one after the other at every place."""
    pieces = []
    while text:
        piece = next((start for start in CONTRACTIONS if text.startswith(start)), "")
        body = text.removeprefix(" ") if kind(text[1:2] or " ") != "S" else text
        first = kind(body[0])
        if not piece:
            piece = text[: len(text) - len(body)] + run_of(body, first)
        if first == "S" and len(piece) > 1 and len(piece) < len(text):
            piece = piece[:-1]  # the last white space before a word is left for the word
        pieces.append(piece)
        text = text[len(piece) :]
    return pieces


def run_of(text: str, wanted: str) -> str:
    """The longest beginning of `text` whose characters are all of a kind."""
    end = next((at for at, char in enumerate(text) if kind(char) != wanted), len(text))
    return text[:end]


def all_of(body: str) -> set[str]:
    """All characters of a class."""
    return set(re.findall(f"[{body}]", EVERYTHING))


EVERYTHING = "".join(map(chr, range(sys.maxunicode + 1)))


@cache
def by_kind() -> dict[str, str]:
    """All characters there are, by their kind."""
    found: dict[str, list[str]] = {"L": [], "N": [], "S": [], "P": []}
    for char in EVERYTHING:
        found[kind(char)].append(char)
    return {name: "".join(chars) for name, chars in found.items()}


@pytest.mark.parametrize(
    ("name", "body"),
    [("L", lambda: letter_and_number()[0]), ("N", lambda: letter_and_number()[1]), ("S", lambda: SPACE)],
    ids=["letters", "numbers", "white space"],
)
def test_the_classes_are_those_of_unicode_for_every_character(name: str, body: Callable[[], str]) -> None:
    found = all_of(body())
    assert found == set(by_kind()[name])


def test_the_rest_is_punctuation() -> None:
    text = by_kind()["P"]
    assert pieces_of(text) == [text]


@pytest.mark.parametrize(("name", "neighbours"), [("L", "1.\n"), ("N", "a.\n"), ("S", "a1."), ("P", "a1\n")])
def test_no_kind_joins_another(name: str, neighbours: str) -> None:
    """Every assigned character between two of another kind, without the space that joins."""
    chars = [char for char in by_kind()[name] if unicodedata.category(char) not in ("Cn", "Co")]
    chars = [char for char in chars if char != " "]
    for neighbour in neighbours:
        text = neighbour + neighbour.join(chars) + neighbour
        assert len(pieces_of(text)) == 2 * len(chars) + 1


ODD = "aZé雨ßʰǅ 01½Ⅳ٣²一 .,-_'\"!🙂\u0301\u200d \t\n\r\x0b\x1c\x1f\x85\xa0\u2028\u3000\u200b\0\ud800"


@given(st.text(st.sampled_from(ODD + "srtvemld'  "), max_size=30))
@example("")
def test_the_split_is_that_of_the_alternatives_in_their_order(text: str) -> None:
    assert pieces_of(text) == gpt2_split(text)


@given(st.text())
def test_nothing_is_lost(text: str) -> None:
    assert "".join(pieces_of(text)) == text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello, world!", ["Hello", ",", " world", "!"]),
        ("I'm he'll we've", ["I", "'m", " he", "'ll", " we", "'ve"]),
        ("they're it's can't I'd", ["they", "'re", " it", "'s", " can", "'t", " I", "'d"]),
        ("I'M don'ts", ["I", "'", "M", " don", "'t", "s"]),
        ("'tis 's", ["'t", "is", " '", "s"]),
        ("in 1969, 27.3 days", ["in", " 1969", ",", " 27", ".", "3", " days"]),
        ("abc123def", ["abc", "123", "def"]),
        ("x² ½cup Ⅳth", ["x", "²", " ½", "cup", " Ⅳ", "th"]),
        ("snake_case __init__", ["snake", "_", "case", " __", "init", "__"]),
        ("a  b", ["a", " ", " b"]),
        ("a   b", ["a", "  ", " b"]),
        ("a \nb", ["a", " ", "\n", "b"]),
        ("a\n\nb", ["a", "\n", "\n", "b"]),
        ("a\n\n b", ["a", "\n\n", " b"]),
        ("a  ", ["a", "  "]),
        (" ", [" "]),
        ("\t a", ["\t", " a"]),
        ("a\xa0b", ["a", "\xa0", "b"]),
        ("a\x1cb", ["a", "\x1c", "b"]),
        ("a \x1c", ["a", " \x1c"]),
        ("cafe\u0301s", ["cafe", "\u0301", "s"]),
        ("Größe 山は 🙂!", ["Größe", " 山は", " 🙂!"]),
    ],
)
def test_as_gpt2_splits(text: str, pieces: list[str]) -> None:
    assert pieces_of(text) == pieces
