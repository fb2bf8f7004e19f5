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
