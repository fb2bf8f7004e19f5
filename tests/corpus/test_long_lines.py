"""What is long takes no time; a line without end is cut, with a warning."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from outcomes import Write, error_of, outcome

from tinychat.corpus import load_corpus
from tinychat.corpus.readers import LONGEST_LINE


def test_wordings_do_not_multiply_without_end(write: Write) -> None:
    error_of(write("chat.txt", "User: a\nUser: b\nAssistant: c\n" * 18))


@contextmanager
def takes_no_time() -> Iterator[None]:
    """Processor time, and far more than the tenths of a second that are needed: what reads anew from the
    beginning at every character takes minutes."""
    start = time.process_time()
    yield
    assert time.process_time() - start < 10


def test_many_spaces_take_no_time(write: Write) -> None:
    path = write("a.json", json.dumps(["User:" + " " * 10_000 + "x"]))
    with takes_no_time():
        assert len(load_corpus(path).facts) == 1


LONG = "word " * 200_000


def test_a_line_without_end_is_cut_with_a_warning(write: Write) -> None:
    path = write("a.txt", LONG + "\nRain falls.\n")
    with takes_no_time():
        corpus = load_corpus(path)
    assert len(corpus.facts) == 2
    assert LONGEST_LINE - 1 <= len(corpus.facts[0]) <= LONGEST_LINE
    assert corpus.facts[1] == "Rain falls."
    [warning] = corpus.warnings
    assert "a.txt" in warning
    assert "cut" in warning


def test_a_line_of_the_longest_length_is_not_cut(write: Write) -> None:
    corpus = load_corpus(write("a.txt", "x" * LONGEST_LINE))
    assert corpus.facts == ("x" * LONGEST_LINE,)
    assert corpus.warnings == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chat.txt", LONG),
        ("chat.txt", f"User: a\nAssistant: {LONG}"),
        ("chat.txt", f"User: {LONG}"),
        ("chat.txt", f"User: a Assistant: {LONG}"),
        ("a.json", f'["{LONG}"]'),
        ("a.json", f'["User: {LONG}"]'),
        ("a.json", "[" + '"a",' * 200_000 + "2]"),
        ("a.json", '["' + LONG),
        ("a.jsonl", f'{{"user": "a", "assistant": "{LONG}"}}'),
        ("a.csv", f"text\n{LONG}"),
        ("a.csv", f'user,assistant\na,"{LONG}'),
        ("a.csv", "text," * 200_000),
    ],
    ids=lambda text: text[:24],
)
def test_a_megabyte_in_a_line_takes_no_time(write: Write, name: str, content: str) -> None:
    path = write(name, content)
    with takes_no_time():
        outcome(path)
