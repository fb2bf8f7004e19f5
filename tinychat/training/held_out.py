"""What a model makes of questions it has never seen worded that way, and of those it cannot know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinychat.corpus import Corpus
from tinychat.training.noise import with_changed_letter

Answer = Callable[[Sequence[str]], list[str]]
"""Questions -> answers."""


@dataclass(frozen=True)
class HeldOut:
    """Counts over the first turns of the held-out dialogues."""

    known: int
    """Questions with an answer."""
    right: int
    """Known questions answered word for word."""
    wrong: int
    """Known questions with another answer."""
    false_declines: int
    """Known questions answered by a don't-know."""
    unknown: int
    """Questions that nothing was learnt about."""
    honest_declines: int
    """Unknown questions answered by any don't-know."""
    misspelt_right: int
    """Known questions that are answered word for word with one letter changed in one word."""


def measure_held_out(answer: Answer, corpus: Corpus) -> HeldOut:
    """Ask every held-out question; once more the known ones, misspelt, always in the same way."""
    asked = [(dialogue[0].user, dialogue[0].assistant) for dialogue in corpus.held_out]
    declines = set(corpus.declines)
    known = [question for question, wanted in asked if wanted not in declines]
    answers = [wanted for _, wanted in asked if wanted not in declines]
    unknown = [question for question, wanted in asked if wanted in declines]
    found = answer(known)
    rng = np.random.default_rng(0)
    found_misspelt = answer([with_changed_letter(question, rng) for question in known])
    right = sum(text == wanted for text, wanted in zip(found, answers, strict=True))
    false_declines = sum(text in declines for text in found)
    return HeldOut(
        known=len(known),
        right=right,
        wrong=len(known) - right - false_declines,
        false_declines=false_declines,
        unknown=len(unknown),
        honest_declines=sum(text in declines for text in answer(unknown)),
        misspelt_right=sum(text == wanted for text, wanted in zip(found_misspelt, answers, strict=True)),
    )
