"""Counting the answers to questions that were never learnt."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest

from tinychat.corpus import Corpus, Turn
from tinychat.training.held_out import HeldOut, measure_held_out

DECLINES = ("I do not know.", "That is new to me.")
KNOWN = {"What falls from the clouds?": "Rain falls.", "who melts snow": "The sun.", "Who sings?": "Birds."}
UNKNOWN = ("How deep is the sea?", "why is grass green")


def corpus_of(known: dict[str, str] = KNOWN, unknown: Sequence[str] = UNKNOWN) -> Corpus:
    held_out = [(Turn(question, right),) for question, right in known.items()]
    held_out += [(Turn(question, DECLINES[0]),) for question in unknown]
    return Corpus("tiny", facts=("Birds sing.",), held_out=tuple(held_out), declines=DECLINES)


class Fake:
    """Has an answer for every question it was told, and another for those it was not."""

    def __init__(self, said: dict[str, str], otherwise: str = "Hm.") -> None:
        self.said, self.otherwise = said, otherwise
        self.asked: list[str] = []

    def __call__(self, questions: Sequence[str]) -> list[str]:
        self.asked += questions
        return [self.said.get(question, self.otherwise) for question in questions]


def counted(said: dict[str, str], otherwise: str = "Hm.", corpus: Corpus | None = None) -> dict[str, int]:
    return asdict(measure_held_out(Fake(said, otherwise), corpus or corpus_of()))


def test_who_knows_all_is_right_and_honest() -> None:
    said = KNOWN | dict.fromkeys(UNKNOWN, DECLINES[0])
    assert measure_held_out(Fake(said), corpus_of()) == HeldOut(
        known=3, right=3, wrong=0, false_declines=0, unknown=2, honest_declines=2, misspelt_right=0
    )


@pytest.mark.parametrize("decline", DECLINES)
def test_who_knows_nothing_is_honest_with_any_dont_know(decline: str) -> None:
    found = counted({}, otherwise=decline)
    assert (found["known"], found["right"], found["wrong"], found["false_declines"]) == (3, 0, 0, 3)
    assert (found["unknown"], found["honest_declines"], found["misspelt_right"]) == (2, 2, 0)


def test_every_known_question_is_right_wrong_or_declined() -> None:
    first, second, third = KNOWN
    found = counted({first: KNOWN[first], second: DECLINES[1], third: "Fish."})
    assert (found["right"], found["wrong"], found["false_declines"]) == (1, 1, 1)
    assert found["honest_declines"] == 0


@pytest.mark.parametrize("other", ["rain falls.", "Rain falls", "Rain falls. ", "Rain  falls.", ""])
def test_right_is_word_for_word(other: str) -> None:
    question = next(iter(KNOWN))
    assert counted(KNOWN)["right"] == 3
    found = counted(KNOWN | {question: other})
    assert (found["right"], found["wrong"]) == (2, 1)


def test_an_answer_to_another_question_is_wrong() -> None:
    found = counted({}, otherwise="Birds.")
    assert (found["right"], found["wrong"], found["honest_declines"]) == (1, 2, 0)


def test_known_questions_are_asked_again_with_one_letter_changed() -> None:
    fake = Fake(KNOWN)
    measure_held_out(fake, corpus_of())
    rest = [question for question in fake.asked if question not in (*KNOWN, *UNKNOWN)]
    assert len(fake.asked) == len(KNOWN) * 2 + len(UNKNOWN)
    assert set(fake.asked) >= {*KNOWN, *UNKNOWN}
    for misspelt, question in zip(rest, KNOWN, strict=True):
        assert len(misspelt) == len(question)
        assert sum(a != b for a, b in zip(misspelt, question, strict=True)) == 1


def test_right_answers_to_misspelt_questions_are_counted_apart() -> None:
    fake = Fake(KNOWN)
    measure_held_out(fake, corpus_of())
    misspelt = [question for question in fake.asked if question not in (*KNOWN, *UNKNOWN)]
    answers = dict(zip(misspelt, KNOWN.values(), strict=True))
    found = counted(answers)
    assert (found["right"], found["misspelt_right"]) == (0, 3)
    found = counted(KNOWN | {misspelt[1]: answers[misspelt[1]]})
    assert (found["right"], found["misspelt_right"]) == (3, 1)
    assert counted(dict.fromkeys(misspelt, DECLINES[0]))["misspelt_right"] == 0


def test_they_are_always_misspelt_in_the_same_way() -> None:
    first, second = Fake(KNOWN), Fake({})
    measure_held_out(first, corpus_of())
    measure_held_out(second, corpus_of())
    assert first.asked == second.asked


def test_only_first_turns_are_asked() -> None:
    question, right = next(iter(KNOWN.items()))
    corpus = replace(corpus_of(), held_out=((Turn(question, right), Turn("And why?", "So.")),))
    fake = Fake(KNOWN)
    found = measure_held_out(fake, corpus)
    assert (found.known, found.right, found.unknown) == (1, 1, 0)
    assert "And why?" not in fake.asked
    assert len(fake.asked) == 2


def test_without_dont_knows_every_question_is_known() -> None:
    corpus = replace(corpus_of(), declines=())
    assert counted(KNOWN, otherwise=DECLINES[0], corpus=corpus) == {
        "known": 5,
        "right": 5,
        "wrong": 0,
        "false_declines": 0,
        "unknown": 0,
        "honest_declines": 0,
        "misspelt_right": 2,
    }


def test_a_side_may_be_missing() -> None:
    found = counted(KNOWN, corpus=corpus_of(unknown=()))
    assert (found["known"], found["right"], found["unknown"], found["honest_declines"]) == (3, 3, 0, 0)
    found = counted({}, otherwise=DECLINES[1], corpus=corpus_of(known={}))
    assert (found["known"], found["wrong"], found["unknown"], found["honest_declines"]) == (0, 0, 2, 2)


def test_an_answer_too_few_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="zip"):
        measure_held_out(lambda questions: ["Rain falls."] * (len(questions) - 1), corpus_of())
