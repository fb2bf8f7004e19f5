"""Other ways to ask a question: words that tell nothing come and go, and the rest is typed carelessly."""

from collections.abc import Sequence

import numpy as np

from tinychat.config import TrainConfig
from tinychat.corpus import Dialogue
from tinychat.training.noise import made_up, with_noise, word_set

FILLER = 0.04
"""Share of all answers from which on a word whose questions have so many answers tells nothing of them."""
FEWEST = 3
"""As many answers a filler's questions have at any rate: in a small corpus the share is none."""
CHANGED, REPLACED = 0.4, 0.5
"""Share of the words that go, of those that may; and share of these that another word takes the place of."""
ANY = 0.7
"""Share of the wordings with words of their own into which not fillers alone are put, but words of all
questions: in a small corpus hardly a word is a filler, and whoever asks has more of them."""
MOVED = 0.2
"""Share of the wordings whose end comes first."""
ADDED = 0.5
"""Share of the wordings with something in front, half of them with a capital; and half as many have something
at the end."""
MOST_ADDED = 3
"""Words."""
UNKNOWN = 0.2
"""Share of the words put in that nobody knows."""
NOISE = TrainConfig(typos=0.03, careless=0.4)


def plain(question: str) -> str:
    """What stays of a question that is typed carelessly; two questions with the same are one."""
    return question.lower().strip("?.! ")


class Rewordings:
    """Of one question, with words of the other questions of a corpus, whatever its language."""

    def __init__(self, question: str, dialogues: Sequence[Dialogue]) -> None:
        answers: dict[str, set[str]] = {}
        for dialogue in dialogues:
            for word in word_set(dialogue[0].user):
                answers.setdefault(word, set()).add(dialogue[0].assistant)
        self._all_words = sorted(answers)
        n_answers = len({dialogue[0].assistant for dialogue in dialogues})
        enough = max(FEWEST, FILLER * n_answers)
        self.fillers = sorted(word for word, found in answers.items() if len(found) > enough)
        self._are_fillers = frozenset(self.fillers)
        self.question = question
        self._own = word_set(question) - answers.keys()
        """Words that no other question has: where they stand, nothing else is needed."""
        self._telling = self._telling_of(question)

    def is_about_the_same(self, other: str) -> bool:
        """Whether it is the question, or has a word in common with it that tells what it is about."""
        return plain(other) == plain(self.question) or not self._telling.isdisjoint(self._telling_of(other))

    def is_nearly_the_same(self, other: str) -> bool:
        """Whether most of the words that tell what the two are about are in both."""
        others = self._telling_of(other)
        return len(self._telling & others) > len(self._telling | others) / 2

    def is_all_in(self, other: str) -> bool:
        """Whether all the words that tell what it is about are in the other one."""
        return bool(self._telling) and self._telling <= self._telling_of(other)

    def _telling_of(self, text: str) -> frozenset[str]:
        return word_set(text) - self._are_fillers

    def draw(self, rng: np.random.Generator, question: str = "") -> str:
        """The question, or another one, in other words; perhaps in its own."""
        asked = (question or self.question).split()
        is_own = not self._own.isdisjoint(word_set(" ".join(asked)))
        others = self._all_words if is_own and rng.random() < ANY else self.fillers
        said: list[str] = []
        for word in asked:
            if not (self._may_go(word, is_own) and rng.random() < CHANGED):
                said.append(word)
            elif rng.random() < REPLACED:
                said.append(_one_of(others, rng))
        said = said or asked
        if rng.random() < MOVED:
            start = int(rng.integers(len(said)))
            said = [*said[start:], *said[:start]]
        if rng.random() < ADDED:
            said = [*_some_of(others, rng), said[0][0].lower() + said[0][1:], *said[1:]]
            if rng.random() < 0.5:
                said[0] = said[0].capitalize()
        if rng.random() < ADDED / 2:
            said = [*said, *_some_of(others, rng)]
        return with_noise(" ".join(said), NOISE, rng)

    def _may_go(self, word: str, is_own: bool) -> bool:
        """A filler may, and beside words of its own any other."""
        found = word_set(word)
        return not self._are_fillers.isdisjoint(found) or (is_own and self._own.isdisjoint(found))


def _some_of(others: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [_one_of(others, rng) for _ in range(rng.integers(1, MOST_ADDED, endpoint=True))]


def _one_of(others: Sequence[str], rng: np.random.Generator) -> str:
    if not others or rng.random() < UNKNOWN:
        return made_up(int(rng.integers(3, 8)), rng)
    return others[int(rng.integers(len(others)))]
