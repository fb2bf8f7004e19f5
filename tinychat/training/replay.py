"""Former dialogues to go on with while something new is learnt, lest they be forgotten (Robins 1995)."""

from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np

from tinychat.corpus import Dialogue
from tinychat.training.noise import words

N_NEAR = 64
"""Questions that are most like the new one: they are the first to be mistaken for it."""


class Replay:
    """Draws by turns: questions near the new one, all answers alike, all dialogues alike, what was taught."""

    def __init__(self, dialogues: Sequence[Dialogue], taught: Sequence[Dialogue], question: str) -> None:
        self.dialogues, self.taught = dialogues, taught
        alike = likeness(question, [dialogue[0].user for dialogue in dialogues])
        groups: dict[str, list[Dialogue]] = {}
        by_likeness = sorted(range(len(dialogues)), key=lambda index: -alike[index])
        for index in by_likeness:
            groups.setdefault(dialogues[index][-1].assistant, []).append(dialogues[index])
        self._groups = list(groups.values())
        self._near = [dialogues[index] for index in by_likeness[:N_NEAR]]

    def draw(self, n: int, rng: np.random.Generator) -> list[Dialogue]:
        """So many, perhaps one of them several times; none if there are none."""
        found = []
        for place in range(n):
            group = self._groups[rng.integers(len(self._groups))] if self._groups else ()
            kinds = [kind for kind in (self._near, group, self.dialogues, self.taught) if kind]
            if kinds:
                kind = kinds[place % len(kinds)]
                found.append(kind[int(rng.integers(len(kind)))])
        return found

    def to_check(self, n: int, rng: np.random.Generator) -> list[Dialogue]:
        """All that were taught; and all others if there are not more than `n`, else so many of them."""
        chosen = rng.permutation(len(self.dialogues))[:n].tolist()
        return [*self.taught, *(self.dialogues[index] for index in chosen)]


def likeness(question: str, others: Sequence[str]) -> list[float]:
    """How much each of the others has in common with the question: words, weighted by how rare they are.

    The sum over common words of the logarithm of how few of the others have them (Sparck Jones 1972), less
    for others with many words.
    """
    bags = [set(words(other.lower())) for other in others]
    uses = Counter(word for bag in bags for word in bag)
    wanted = set(words(question.lower()))
    return [
        sum(log((1 + len(bags)) / uses[word]) for word in wanted & bag) / (1 + len(bag)) ** 0.5
        for bag in bags
    ]
