"""A corpus knows its texts, and whether it is still the same."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.corpus import Corpus, Turn

CORPUS = Corpus(
    "name",
    facts=("Rain falls.", "The moon shines."),
    dialogues=((Turn("a", "b"), Turn("c", "d")), (Turn("e", "f"),)),
    source="source",
)
A, B, C = (Turn("a", "b"), Turn("c", "d")), (Turn("e", "f"),), Turn("g", "h")


def test_texts_are_everything_the_tokenizer_must_know() -> None:
    assert list(CORPUS.texts()) == [
        "Rain falls.",
        "The moon shines.",
        "User: a Assistant: b",
        "User: c Assistant: d",
        "User: e Assistant: f",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        replace(CORPUS, facts=()),
        replace(CORPUS, dialogues=()),
        replace(CORPUS, facts=("Rain falls.",)),
        replace(CORPUS, facts=("Rain falls. ", "The moon shines.")),
        replace(CORPUS, facts=("Rain Falls.", "The moon shines.")),
        replace(CORPUS, facts=("The moon shines.", "Rain falls.")),
        replace(CORPUS, facts=("Rain falls.The moon shines.",)),
        replace(CORPUS, facts=("Rain falls.", "The moon shines.", "")),
        replace(CORPUS, dialogues=(B, A)),
        replace(CORPUS, dialogues=(A,)),
        replace(CORPUS, dialogues=(A, B, (C,))),
        replace(CORPUS, dialogues=(A, (*B, C))),
        replace(CORPUS, dialogues=((*A, *B),)),
        replace(CORPUS, dialogues=(A[:1], (*A[1:], *B))),
        replace(CORPUS, dialogues=(A, (Turn("f", "e"),))),
        replace(CORPUS, dialogues=(A, (Turn("e", "F"),))),
        replace(CORPUS, dialogues=(A, (Turn("ef", ""),))),
        replace(CORPUS, dialogues=((Turn("a", "c"), Turn("b", "d")), B)),
    ],
    ids=repr,
)
def test_the_fingerprint_changes_with_every_change(changed: Corpus) -> None:
    assert changed.fingerprint != CORPUS.fingerprint


def test_as_running_text_the_facts_are_one() -> None:
    running = CORPUS.as_running_text()
    assert running.facts == ("Rain falls.\nThe moon shines.\n",)
    assert (running.dialogues, running.source) == (CORPUS.dialogues, CORPUS.source)
    assert running.as_running_text() == running
    assert running.fingerprint != CORPUS.fingerprint


def test_running_text_is_what_was_read() -> None:
    text = "Rain falls.\n\n  The moon shines."
    running = replace(CORPUS, text=text).as_running_text()
    assert running.facts == (text,)
    assert "\n" in "".join(running.texts())  # which the tokenizer must know


def test_without_facts_there_is_no_running_text() -> None:
    corpus = replace(CORPUS, facts=(), text="\n\n")
    assert corpus.as_running_text() is corpus


def test_the_fingerprint_does_not_change_with_the_name() -> None:
    renamed = replace(CORPUS, name="other", source="elsewhere", warnings=("a line was cut",))
    assert renamed.fingerprint == CORPUS.fingerprint


def test_the_fingerprint_is_the_same_in_every_process_and_version() -> None:
    # Weights files keep it: with another value no training run of before could go on.
    assert Corpus("", facts=("Rain falls.",)).fingerprint == "67a333a5a8d8fb5f"


TEXTS = st.lists(st.text(max_size=3), max_size=3).map(tuple)


@given(TEXTS, TEXTS)
def test_two_lists_of_facts_have_one_fingerprint_if_they_are_one(
    first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    same = Corpus("", facts=first).fingerprint == Corpus("", facts=second).fingerprint
    assert same == (first == second)
