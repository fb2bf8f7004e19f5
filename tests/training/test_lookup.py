"""The look-up that a language model has to beat, by the definition of TF-IDF."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.corpus import Corpus, Turn
from tinychat.training.lookup import Lookup


def lookup_of(*pairs: tuple[str, str]) -> Lookup:
    return Lookup(Corpus("tiny", dialogues=tuple((Turn(*pair),) for pair in pairs)))


WEATHER = lookup_of(
    ("What is rain?", "Water."),
    ("What is snow?", "Frozen water."),
    ("What is the sun?", "A star."),
    ("Who sings?", "Birds."),
)


def test_a_question_of_training_gets_its_answer() -> None:
    questions = ["What is rain?", "What is snow?", "What is the sun?", "Who sings?"]
    assert WEATHER.answer(questions) == ["Water.", "Frozen water.", "A star.", "Birds."]
    assert WEATHER.answer(questions[::-1]) == ["Birds.", "A star.", "Frozen water.", "Water."]
    assert WEATHER.answer([]) == []


@pytest.mark.parametrize("question", ["what is SNOW", "snow, what is?!", "SNOW"])
def test_case_punctuation_and_order_do_not_count(question: str) -> None:
    assert WEATHER.answer([question]) == ["Frozen water."]


def test_words_that_were_never_asked_do_not_count() -> None:
    assert WEATHER.answer(["Pray tell me of snow and such"]) == ["Frozen water."]


@pytest.mark.parametrize("question", ["Why?", "?", "", "x y z"])
def test_without_a_common_word_it_is_the_first_answer(question: str) -> None:
    assert WEATHER.answer([question]) == ["Water."]


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    """Against `what` alone, which stands in three questions, `sings` stands in one."""
    assert WEATHER.answer(["What sings?"]) == ["Birds."]


def test_by_hand() -> None:
    """Two questions, `red red rose` and `red wine`; asked is `red red wine`.

    A word in both has weight ln(3 / 3) + 1 = 1, in one w = ln(3 / 2) + 1 = 1.405. With columns red, rose and
    wine the vectors are (2, w, 0), (1, 0, w) and (2, 0, w), and the cosines with the last
    4 / (4 + w^2) = 0.669 and (2 + w^2) / sqrt((1 + w^2) (4 + w^2)) = 0.943.
    """
    lookup = lookup_of(("red red rose", "rose"), ("red wine", "wine"))
    assert lookup.answer(["red red wine"]) == ["wine"]
    w = math.log(3 / 2) + 1
    vectors = lookup._unit_vectors(lookup._counts(["red red wine", "red red rose", "red wine"]))
    cosines = vectors @ vectors.T
    assert cosines[0, 1] == pytest.approx(4 / (4 + w * w), rel=1e-6)
    assert cosines[0, 2] == pytest.approx((2 + w * w) / math.sqrt((1 + w * w) * (4 + w * w)), rel=1e-6)
    assert cosines.diagonal() == pytest.approx([1, 1, 1])


def cosine(a: Counter[str], b: Counter[str], rarity: dict[str, float]) -> float:
    """Of the angle between two bags of words."""

    def product(x: Counter[str], y: Counter[str]) -> float:
        return sum(n * y[word] * rarity[word] ** 2 for word, n in x.items() if word in rarity)

    lengths = math.sqrt(product(a, a) * product(b, b))
    return product(a, b) / lengths if lengths else 0.0


BAGS = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=6)


@given(st.lists(BAGS, min_size=1, max_size=8), BAGS)
def test_it_is_the_definition(questions: list[list[str]], asked: list[str]) -> None:
    lookup = lookup_of(*((" ".join(words), str(n)) for n, words in enumerate(questions)))
    bags = [Counter(words) for words in questions]
    rarity = {
        word: math.log((1 + len(bags)) / (1 + sum(word in bag for bag in bags))) + 1
        for word in set().union(*bags)
    }
    alike = [cosine(Counter(asked), bag, rarity) for bag in bags]
    [answer] = lookup.answer([" ".join(asked)])
    assert alike[int(answer)] == pytest.approx(max(alike), abs=1e-6)


@pytest.mark.parametrize("n_before", [0, 1, 5, 30])
def test_of_two_that_are_as_alike_it_is_the_first(n_before: int) -> None:
    others = [(f"Other {'xyz'[n % 3]}{n}", "no") for n in range(n_before)]
    lookup = lookup_of(
        *others, ("Is it rain?", "first"), ("Rain, is it?", "second"), ("Rain! It is", "third")
    )
    assert lookup.answer(["Is it rain"]) == ["first"]
    assert lookup.answer(["What rain is it", "rain"]) == ["first", "first"]


def test_only_first_questions_are_looked_up() -> None:
    corpus = Corpus("tiny", dialogues=((Turn("Who sings?", "Birds."), Turn("When?", "At dawn.")),))
    assert Lookup(corpus).answer(["When?"]) == ["Birds."]
    assert Lookup(corpus).answers == ["Birds."]


def test_training_questions_without_a_word_are_never_alike() -> None:
    lookup = lookup_of(("🙂", "Hello."), ("Who sings?", "Birds."))
    assert lookup.answer(["🙂", "who"]) == ["Hello.", "Birds."]
    assert lookup_of(("🙂", "Hello."), ("?", "Hm.")).answer(["?", "who"]) == ["Hello.", "Hello."]
