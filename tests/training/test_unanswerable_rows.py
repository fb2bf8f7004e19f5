"""Questions whose telling words are made up get a don't-know for an answer."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tiny_rows import MANY, drawn, rows_of

from tinychat.corpus import Corpus, Dialogue, Turn
from tinychat.tokenizer import train_tokenizer
from tinychat.training.rows import TELLING

DECLINES = ("Nobody told me.", "That is new to me.")
LETTERS = train_tokenizer(
    "char", ["abcdefghijklmnopqrstuvwxyz+", *Corpus("", dialogues=MANY).texts(), *DECLINES]
)


def unanswerable(dialogues: Sequence[Dialogue], seed: int = 0, **recipe: Any) -> list[str]:
    """All texts of an epoch in which every question is made unanswerable that can be."""
    recipe = {"unanswerable": 1.0, **recipe}
    rows = rows_of(LETTERS, dialogues, declines=DECLINES, **recipe)
    return [LETTERS.decode(row.tokens) for row in drawn(rows, seed)]


def test_telling_words_are_made_up_and_the_answer_is_the_first_dont_know() -> None:
    """`What`, `is` and `the` stand in questions with 64 answers, the names in one each."""
    for text, (turn,) in zip(unanswerable(MANY), MANY, strict=True):
        name = turn.user.split()[-1].removesuffix("?")
        question, _, answer = text.partition(" Assistant: ")
        assert answer == "Nobody told me."
        assert re.fullmatch(rf"User: What is the [a-z]{{{len(name)}}}\?", question)
        assert name not in question


@pytest.mark.parametrize(("n_answers", "is_telling"), [(1, True), (TELLING, True), (TELLING + 1, False)])
def test_a_word_tells_by_how_many_answers_its_questions_get(n_answers: int, is_telling: bool) -> None:
    """Not by how many questions; case does not count."""
    dialogues = [
        (Turn(("what is it", "What is it")[n % 2], f"It is number {n % n_answers}."),) for n in range(24)
    ]
    for text, (turn,) in zip(unanswerable(dialogues), dialogues, strict=True):
        assert (turn.user in text, text.endswith("Nobody told me.")) == (not is_telling, is_telling)


def test_dont_knows_are_unchanged() -> None:
    asked = [Turn("Why is stst?", DECLINES[0]), Turn("Whence?", DECLINES[1]), Turn("Why so?", DECLINES[1])]
    dialogues = (*MANY[:8], *((turn,) for turn in asked))
    rows = rows_of(LETTERS, dialogues, declines=DECLINES, unanswerable=1.0)
    found = drawn(rows)
    assert [row is clean for row, clean in zip(found, rows.clean, strict=True)] == [False] * 8 + [True] * 3


def test_dialogues_of_several_turns_are_unchanged() -> None:
    dialogues = (MANY[0], (*MANY[1], *MANY[2]))
    rows = rows_of(LETTERS, dialogues, declines=DECLINES, unanswerable=1.0)
    found = drawn(rows)
    assert found[0] != rows.clean[0]
    assert found[1] is rows.clean[1]


def test_a_question_without_a_telling_word_is_unchanged() -> None:
    dialogues = tuple((Turn("What is it?", f"It is number {n}."),) for n in range(TELLING + 1))
    rows = rows_of(LETTERS, dialogues, declines=DECLINES, unanswerable=1.0)
    assert all(row is clean for row, clean in zip(drawn(rows), rows.clean, strict=True))
    letters = ((Turn("1 + x?", "It is number 3."),),)  # no words at all
    rows = rows_of(LETTERS, letters, declines=DECLINES, unanswerable=1.0)
    assert drawn(rows) == rows.clean


def test_without_dont_knows_nothing_is_unanswerable() -> None:
    rows = rows_of(LETTERS, MANY, unanswerable=1.0)
    assert drawn(rows) == rows.clean
    without = rows_of(LETTERS, MANY, typos=0.3)
    assert drawn(rows_of(LETTERS, MANY, typos=0.3, unanswerable=0.5)) == drawn(without)


def test_the_share_of_unanswerable_questions() -> None:
    found = unanswerable(MANY * 40, unanswerable=0.2)
    share = np.mean([text.endswith("Nobody told me.") for text in found])
    assert share == pytest.approx(0.2, abs=0.03)
    assert sum("It is number" in text for text in found) == round(len(found) * (1 - share))


def test_what_is_made_up_comes_from_the_generator_alone() -> None:
    assert unanswerable(MANY) == unanswerable(MANY)
    assert not set(unanswerable(MANY)) & set(unanswerable(MANY, seed=1))


def test_a_question_is_not_made_unanswerable_and_misspelt() -> None:
    for text in unanswerable(MANY, typos=1.0, careless=1.0):
        assert text.startswith("User: What is the ")
        assert text.endswith("? Assistant: Nobody told me.")


def test_of_an_unanswerable_row_the_dont_know_counts() -> None:
    rows = rows_of(LETTERS, MANY, declines=DECLINES, unanswerable=1.0, mask_prompt=True)
    for row in drawn(rows):
        answer = [token for token, counts in zip(row.tokens, row.counts, strict=True) if counts]
        assert LETTERS.decode(answer) == " Nobody told me."
        assert answer[-1] == LETTERS.end_id


def test_a_dont_know_fits_into_the_context() -> None:
    whole = rows_of(LETTERS, MANY[:1], declines=DECLINES, unanswerable=1.0)
    length = len(drawn(whole)[0].tokens)
    rows = rows_of(LETTERS, MANY[:1], length - 5, declines=DECLINES, unanswerable=1.0)
    assert drawn(rows) == [row.cut(length - 4) for row in drawn(whole)]
