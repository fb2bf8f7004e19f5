"""From a corpus to arrays: rows of ids, and the batches that an epoch goes through."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tinychat.core.parameters import Ids
from tinychat.corpus import Corpus, Dialogue
from tinychat.tokenizer import Tokenizer

Batch = tuple[Ids, Ids]
"""Ids and targets, both ndarray of shape (B, T): the target of a place is the id of the next."""


def fact_row(fact: str, tokenizer: Tokenizer) -> list[int]:
    return [*tokenizer.encode(fact), tokenizer.end_id]


def dialogue_row(dialogue: Dialogue, tokenizer: Tokenizer) -> list[int]:
    return [index for turn in dialogue for index in (*tokenizer.encode(str(turn)), tokenizer.end_id)]


@dataclass(frozen=True)
class Rows:
    """The corpus as ids, no row longer than a model of the given context can learn from."""

    facts: list[list[int]]
    dialogues: list[list[int]]
    n_cut: int
    """Rows that were longer than the context, and lost their end."""

    @classmethod
    def of(cls, corpus: Corpus, tokenizer: Tokenizer, max_seq_len: int) -> "Rows":
        facts = [fact_row(fact, tokenizer) for fact in corpus.facts]
        dialogues = [dialogue_row(dialogue, tokenizer) for dialogue in corpus.dialogues]
        longest = max_seq_len + 1  # the last token is only predicted, never read
        n_cut = sum(len(row) > longest for row in (*facts, *dialogues))
        return cls([row[:longest] for row in facts], [row[:longest] for row in dialogues], n_cut)


class Batches:
    """One example a batch: no padding, and as many updates an epoch as there are examples."""

    def __init__(self, rows: Iterable[list[int]]) -> None:
        self._batches: list[Batch] = [
            (np.array([row[:-1]], np.int64), np.array([row[1:]], np.int64)) for row in rows if len(row) > 1
        ]
        self.n_tokens = sum(targets.size for _, targets in self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Batch:
        return self._batches[index]
