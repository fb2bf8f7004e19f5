"""Dialogues as text: one line each, or blocks of a chat.txt."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.corpus import Dialogue, Turn, load_corpus
from tinychat.corpus.dialogue import ask_text, parse_dialogue

Write = Callable[[str, str | bytes], Path]


def test_a_turn_reads_as_the_model_sees_it() -> None:
    assert str(Turn("What is rain?", "Water.")) == "User: What is rain? Assistant: Water."
    assert ask_text("What is rain?") == "User: What is rain? Assistant:"


@pytest.mark.parametrize(
    ("text", "dialogue"),
    [
        ("User: a Assistant: b", [("a", "b")]),
        ("  User:a\nAssistant:b\n", [("a", "b")]),
        ("User: a Assistant: b User: c Assistant: d", [("a", "b"), ("c", "d")]),
        ("User: a\nAssistant: b\n\nUser: c\nAssistant: d\ne", [("a", "b"), ("c", "d\ne")]),
        ("User: a: b? Assistant: c: d", [("a: b?", "c: d")]),
        ("User: who is the SuperUser: me? Assistant: You.", [("who is the SuperUser: me?", "You.")]),
        ("User: a Assistant: the SuperUser: he", [("a", "the SuperUser: he")]),
        ("User: a user: b Assistant: c assistant: d", [("a user: b", "c assistant: d")]),
        ("User: 🙂 Assistant: 你好", [("🙂", "你好")]),
    ],
)
def test_a_dialogue_is_read(text: str, dialogue: list[tuple[str, str]]) -> None:
    assert parse_dialogue(text) == tuple(Turn(*pair) for pair in dialogue)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "Rain falls.",
        "User: a",
        "User:",
        "Assistant: b",
        "Assistant: b User: a",
        "User: Assistant: b",
        "User: a Assistant:",
        "User: a Assistant: \n",
        "User: a Assistant: b User: c",
        "User: a Assistant: b User: c Assistant:",
        "Once upon a time User: a Assistant: b",
        "user: a assistant: b",
    ],
)
def test_what_is_no_dialogue_is_none(text: str) -> None:
    assert parse_dialogue(text) is None


SAID = (
    st.text(min_size=1)
    .map(str.strip)
    .filter(lambda text: text and "User:" not in text and "Assistant:" not in text)
)


@given(
    st.lists(st.builds(Turn, SAID, SAID), min_size=1, max_size=4).map(tuple),
    st.sampled_from([" ", "\n", "\n\n"]),
)
def test_what_is_written_is_read_again(dialogue: Dialogue, between: str) -> None:
    assert parse_dialogue(between.join(map(str, dialogue))) == dialogue


@given(st.text())
def test_any_text_is_a_dialogue_or_none(text: str) -> None:
    dialogue = parse_dialogue(text)
    assert dialogue is None or (dialogue and all(turn.user and turn.assistant for turn in dialogue))


# Blocks of a chat.txt


def dialogues_of(write: Write, content: str) -> list[list[tuple[str, str]]]:
    corpus = load_corpus(write("chat.txt", content))
    assert corpus.facts == ()
    return [[(turn.user, turn.assistant) for turn in dialogue] for dialogue in corpus.dialogues]


def test_a_block_is_a_dialogue(write: Write) -> None:
    content = "\n\nUser: a\nAssistant: b\n \n\n  User:   c d \n\tAssistant:e\n\n\n"
    assert dialogues_of(write, content) == [[("a", "b")], [("c d", "e")]]


def test_several_turns_are_one_dialogue(write: Write) -> None:
    content = "User: a\nAssistant: b\nUser: c\nAssistant: d\nUser: e\nAssistant: f"
    assert dialogues_of(write, content) == [[("a", "b"), ("c", "d"), ("e", "f")]]


def test_every_wording_is_a_dialogue(write: Write) -> None:
    content = "User: a\nUser: b\nUser: c\nAssistant: d\n\nUser: e\nAssistant: f"
    assert dialogues_of(write, content) == [[("a", "d")], [("b", "d")], [("c", "d")], [("e", "f")]]


def test_wordings_of_several_turns_multiply(write: Write) -> None:
    content = "User: a\nUser: b\nAssistant: 1\nUser: c\nUser: d\nUser: e\nAssistant: 2"
    expected = [[(first, "1"), (second, "2")] for first in "ab" for second in "cde"]
    assert sorted(dialogues_of(write, content)) == sorted(expected)


def test_whole_dialogues_stand_one_a_line(write: Write) -> None:
    content = "User: a Assistant: b </s>\nUser: c Assistant: d User: e Assistant: f\n\nUser: g Assistant: h\n"
    assert dialogues_of(write, content) == [[("a", "b")], [("c", "d"), ("e", "f")], [("g", "h")]]


def test_both_layouts_may_stand_in_one_file(write: Write) -> None:
    content = "User: a Assistant: b\n\nUser: c\nUser: d\nAssistant: e\n"
    assert dialogues_of(write, content) == [[("a", "b")], [("c", "e")], [("d", "e")]]


def test_colons_and_speakers_may_stand_in_what_is_said(write: Write) -> None:
    content = "User: What is 10:30?\nAssistant: A time: half past ten.\n"
    assert dialogues_of(write, content) == [[("What is 10:30?", "A time: half past ten.")]]
