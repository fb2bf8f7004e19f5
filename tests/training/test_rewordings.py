"""Words that tell what is asked stay; others come and go."""

import numpy as np
import pytest

from tinychat.corpus import Dialogue, Turn
from tinychat.training.rewordings import Rewordings, plain

NOUNS = ("rain", "snow", "wind", "fog", "hail")
DIALOGUES: list[Dialogue] = [(Turn(f"What is the {noun}?", f"{noun} is weather."),) for noun in NOUNS]


def test_fillers_are_words_of_many_answers() -> None:
    assert Rewordings("What is the moon?", DIALOGUES).fillers == ["is", "the", "what"]


def test_the_telling_word_stays_but_for_its_spelling() -> None:
    rng = np.random.default_rng(0)
    drawn = [Rewordings("What is the thunder?", DIALOGUES).draw(rng) for _ in range(400)]
    assert sum("thunder" in text for text in drawn) > 360
    assert len(set(drawn)) > 200
    assert any("what" not in text.lower() for text in drawn)
    assert any(len(text.split()) > 4 for text in drawn)
    assert any("?" not in text for text in drawn)


@pytest.mark.parametrize("question", ["the", "?", "雨", "What is the?"])
def test_something_always_stays(question: str) -> None:
    rng = np.random.default_rng(0)
    assert all(Rewordings(question, DIALOGUES).draw(rng).strip() for _ in range(200))
    assert all(Rewordings(question, []).draw(rng).strip() for _ in range(200))


def test_about_the_same() -> None:
    rewordings = Rewordings("What is the rain?", DIALOGUES)
    assert rewordings.is_about_the_same("Why rain today")
    assert rewordings.is_about_the_same("what is the rain")
    assert not rewordings.is_about_the_same("What is the snow?")
    assert plain("What is it?! ") == "what is it"


def test_words_that_no_other_question_has_are_enough() -> None:
    rng = np.random.default_rng(0)
    drawn = [Rewordings("Does the yeti like rain?", DIALOGUES).draw(rng).lower() for _ in range(400)]
    assert any("rain" not in text and "yeti" in text for text in drawn)
    assert sum("yeti" in text for text in drawn) > 350
    of_another = [Rewordings("Does the yeti sing?", DIALOGUES).draw(rng, "Is rain wet?") for _ in range(400)]
    assert sum("rain" in text for text in of_another) > 350


def test_beside_words_of_its_own_come_words_of_any_question() -> None:
    rng = np.random.default_rng(0)
    rewordings = Rewordings("What do yetis drink?", DIALOGUES)
    drawn = [rewordings.draw(rng).lower() for _ in range(400)]
    assert any("rain" in text and "yetis" in text for text in drawn)
    of_another = [rewordings.draw(rng, "What is it?").lower() for _ in range(400)]
    assert not any("rain" in text for text in of_another)  # it would ask for something else


def test_another_word_may_come_in_the_place_of_one() -> None:
    rng = np.random.default_rng(0)
    drawn = [Rewordings("Yetis what drink", DIALOGUES).draw(rng).lower().split() for _ in range(400)]
    between = {
        tuple(words[words.index("yetis") + 1 : -1])
        for words in drawn
        if words[-1] == "drink" and "yetis" in words
    }
    assert {(), ("what",), ("rain",), ("snow",)} <= between


def test_what_is_put_in_front_may_have_a_capital() -> None:
    rng = np.random.default_rng(0)
    drawn = [Rewordings("What do yetis drink?", DIALOGUES).draw(rng) for _ in range(400)]
    begun = [text for text in drawn if text.split()[0].lower() in NOUNS]
    assert any(text[0].isupper() for text in begun)
    assert any(text[0].islower() for text in begun)


def test_the_end_may_come_first() -> None:
    rng = np.random.default_rng(0)
    drawn = [Rewordings("Yeti lives where", []).draw(rng).lower() for _ in range(400)]
    assert any(text.find("where") < text.find("yeti") for text in drawn if "where" in text)


def test_all_that_tells_is_in_another_question() -> None:
    rewordings = Rewordings("What is the cold rain?", DIALOGUES)
    assert rewordings.is_all_in("is rain cold today")
    assert not rewordings.is_all_in("What is the rain?")
    assert not Rewordings("What is the?", DIALOGUES).is_all_in("What is the?")
