"""Which former dialogues are gone on with."""

import numpy as np

from tinychat.corpus import Dialogue, Turn
from tinychat.training.replay import N_NEAREST, likeness, spread, to_rehearse


def one(user: str, assistant: str) -> Dialogue:
    return (Turn(user, assistant),)


COMMON = [one(f"Is it number {word}?", "No.") for word in map(str, range(300))]
NEAR, RARE = one("What do foxes eat?", "Mice."), one("Hello!", "Hi!")


def test_the_rarer_a_common_word_the_more_alike() -> None:
    near, far, none = likeness("do foxes bark", ["What do FOXES do?", "What do they do?", "Hello!"])
    assert near > far > none == 0


def test_the_nearest_are_always_there_and_others_are_drawn() -> None:
    dialogues = [*COMMON, NEAR, RARE]
    chosen = [
        to_rehearse(dialogues, "What do foxes drink?", [], 100, np.random.default_rng(n)) for n in (0, 1)
    ]
    for found in chosen:
        assert len(set(found)) == len(found) == 100
        assert found[0] == NEAR
    assert set(chosen[0]) != set(chosen[1])
    assert to_rehearse(dialogues, "What do foxes drink?", [], 100, np.random.default_rng(0)) == chosen[0]


def test_of_a_small_corpus_everything() -> None:
    assert set(to_rehearse([NEAR, RARE], "Who?", [], 10, np.random.default_rng(0))) == {NEAR, RARE}
    assert to_rehearse([], "Who?", [["Gone?"]], 5, np.random.default_rng(0)) == []


def test_those_that_are_named_come_next() -> None:
    dialogues = [*COMMON, NEAR, RARE]
    named = [["Hello!"], ["Is it number 7?"], ["Gone?"]]
    found = to_rehearse(dialogues, "What do foxes drink?", named, N_NEAREST + 2, np.random.default_rng(0))
    assert found[0] == NEAR
    assert set(found) >= {RARE, COMMON[7]}


def test_spread_is_from_all_over() -> None:
    assert spread(COMMON, 100) == COMMON[::3]
    assert spread(COMMON, 299) == COMMON[::2]
    assert spread(COMMON, 300) == COMMON
    assert spread([], 3) == []
