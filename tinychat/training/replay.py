"""Former dialogues to go on with while something new is learnt, lest they be forgotten (Robins 1995)."""

from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np

from tinychat.corpus import Dialogue
from tinychat.training.noise import word_set

N_NEAREST = 64
"""Questions that are most like the new one: they are the first to be mistaken for it."""
N_KEPT = 500
"""Dialogues of which the questions are kept with a model; see `fragile`."""


def to_rehearse(
    dialogues: Sequence[Dialogue],
    question: str,
    first: Sequence[Sequence[str]],
    n: int,
    rng: np.random.Generator,
) -> list[Dialogue]:
    """Those whose questions are nearest, those whose questions are all in one of `first`, and others drawn at
    random; `n` in all, as far as there are any.
    """
    alike = likeness(question, [dialogue[0].user for dialogue in dialogues])
    nearest = sorted(range(len(dialogues)), key=lambda index: -alike[index])[:N_NEAREST]
    places = {tuple(turn.user for turn in dialogue): index for index, dialogue in enumerate(dialogues)}
    kept = [places[said] for said in map(tuple, first) if said in places]
    order = dict.fromkeys([*nearest, *kept, *rng.permutation(len(dialogues)).tolist()])
    return [dialogues[index] for index in list(order)[:n]]


def questions_of(dialogues: Sequence[Dialogue]) -> list[list[str]]:
    """What users say in each of them."""
    return [[turn.user for turn in dialogue] for dialogue in dialogues]


def spread(dialogues: Sequence[Dialogue], n: int) -> list[Dialogue]:
    """At most n of them from all over a corpus, all of a small one."""
    return list(dialogues[:: -(-len(dialogues) // n) or 1])


def likeness(question: str, others: Sequence[str]) -> list[float]:
    """How much each of the others has in common with the question: words, weighted by how rare they are.

    The sum over common words of the logarithm of how few of the others have them (Sparck Jones 1972), less
    for others with many words.
    """
    bags = [word_set(other) for other in others]
    uses = Counter(word for bag in bags for word in bag)
    wanted = word_set(question)
    return [
        sum(log((1 + len(bags)) / uses[word]) for word in wanted & bag) / (1 + len(bag)) ** 0.5
        for bag in bags
    ]
