"""Former dialogues to go on with while something new is learnt, lest they be forgotten (Robins 1995)."""

from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np

from tinychat.corpus import Dialogue
from tinychat.training.noise import words

N_NEAR = 64
"""Questions that are most like the new one: they are the first to be mistaken for it."""
N_KEPT = 500
"""Dialogues of which the questions are kept with a model."""


def to_rehearse(
    dialogues: Sequence[Dialogue], question: str, n: int, rng: np.random.Generator
) -> list[Dialogue]:
    """Those whose questions are nearest, and others drawn at random; `n` in all, as far as there are any."""
    alike = likeness(question, [dialogue[0].user for dialogue in dialogues])
    nearest = sorted(range(len(dialogues)), key=lambda index: -alike[index])[:N_NEAR]
    order = dict.fromkeys([*nearest, *rng.permutation(len(dialogues)).tolist()])
    return [dialogues[index] for index in list(order)[:n]]


def questions_of(dialogues: Sequence[Dialogue]) -> list[list[str]]:
    """What users say in at most N_KEPT dialogues from all over a corpus, in all of them if it is small."""
    step = -(-len(dialogues) // N_KEPT) or 1
    return [[turn.user for turn in dialogue] for dialogue in dialogues[::step]]


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
