"""What an event says of itself."""

import pytest

from tinychat.training.events import LessonDone


@pytest.mark.parametrize(
    ("new_words", "former", "said"),
    [
        (0, 7, "learnt in 1.2 s; right: 3 of 4 wordings of it, 6 of 7 former questions"),
        (1, 7, "learnt in 1.2 s, with 1 new word; right: 3 of 4 wordings of it, 6 of 7 former questions"),
        (2, 0, "learnt in 1.2 s, with 2 new words; right: 3 of 4 wordings of it"),
    ],
)
def test_a_lesson_tells_what_there_was(new_words: int, former: int, said: str) -> None:
    done = LessonDone("Hi?", "Ho.", 9, 1.2, 3, 4, min(6, former), former, new_words, is_from_itself=False)
    assert done.notes == [said]
