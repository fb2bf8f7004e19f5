"""The look-up that a language model has to beat: the answer of the training question that is most alike.

Questions are bags of words, weighted by how rare a word is (TF-IDF, Sparck Jones 1972); alike is the
cosine of the angle between two of them.
"""

import re
from collections.abc import Sequence

import numpy as np

from tinychat.core.parameters import Floats
from tinychat.corpus import Corpus

_WORD = re.compile(r"\w+")


class Lookup:
    """Knows every first question of a corpus with its answer. The corpus must have a dialogue."""

    def __init__(self, corpus: Corpus) -> None:
        questions = [dialogue[0].user for dialogue in corpus.dialogues]
        self.answers = [dialogue[0].assistant for dialogue in corpus.dialogues]
        words = sorted({word for question in questions for word in _words(question)})
        self._column = {word: column for column, word in enumerate(words)}
        counts = self._counts(questions)
        # Smoothed, so that no weight is 0 and none is infinite.
        self._rarity = np.log((1 + len(questions)) / (1 + (counts > 0).sum(axis=0))) + 1
        self._vectors = self._unit_vectors(counts)

    def answer(self, questions: Sequence[str]) -> list[str]:
        """The answer of the nearest training question for each; without a common word, the first one's."""
        alike = self._unit_vectors(self._counts(questions)) @ self._vectors.T
        return [self.answers[index] for index in alike.argmax(axis=1)] if len(questions) else []

    def _counts(self, questions: Sequence[str]) -> Floats:
        """Occurrences of words, shape (questions, words); words of no training question do not count."""
        counts = np.zeros((len(questions), len(self._column)), np.float32)
        for row, question in enumerate(questions):
            for word in _words(question):
                if word in self._column:
                    counts[row, self._column[word]] += 1
        return counts

    def _unit_vectors(self, counts: Floats) -> Floats:
        vectors: Floats = counts * self._rarity
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
