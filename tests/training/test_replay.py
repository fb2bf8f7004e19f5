"""Which former dialogues are gone on with."""

from collections import Counter

import numpy as np

from tinychat.corpus import Dialogue, Turn
from tinychat.training.replay import N_NEAR, Replay, likeness


def one(user: str, assistant: str) -> Dialogue:
    return (Turn(user, assistant),)


COMMON = [one(f"Is it number {word}?", "No.") for word in map(str, range(300))]
NEAR, RARE, TAUGHT = one("What do foxes eat?", "Mice."), one("Hello!", "Hi!"), one("Who barks?", "Dogs.")


def test_the_rarer_a_common_word_the_more_alike() -> None:
    near, far, none = likeness("do foxes bark", ["What do FOXES do?", "What do they do?", "Hello!"])
    assert near > far > none == 0


def test_each_kind_gets_its_turn() -> None:
    replay = Replay([*COMMON, NEAR, RARE], [TAUGHT], "What do foxes drink?")
    drawn = replay.draw(4000, np.random.default_rng(0))
    counts = Counter(drawn)
    assert counts[TAUGHT] == 1000
    assert 250 < counts[RARE] < 450  # one of three answers, in one of four turns
    assert counts[NEAR] > 250 + 1000 / N_NEAR / 2


def test_what_is_checked() -> None:
    rng = np.random.default_rng(0)
    replay = Replay([NEAR, RARE], [TAUGHT], "Who?")
    assert Counter(replay.to_check(10, rng)) == Counter([TAUGHT, NEAR, RARE])
    drawn = Replay(COMMON, [TAUGHT], "Who?").to_check(10, rng)
    assert len(set(drawn)) == len(drawn) == 11


def test_nothing_to_draw_from() -> None:
    replay = Replay([], [], "Who?")
    assert replay.draw(5, np.random.default_rng(0)) == replay.to_check(5, np.random.default_rng(0)) == []
