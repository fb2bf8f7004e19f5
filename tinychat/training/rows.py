"""From a corpus to rows of tokens, drawn anew in every epoch where the recipe adds noise."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from tinychat.config import TrainConfig
from tinychat.corpus import Dialogue, Turn
from tinychat.corpus.dialogue import ask_text
from tinychat.corpus.typos import with_typos
from tinychat.tokenizer import Tokenizer


class Row(NamedTuple):
    """One example: what a model reads, and what it is asked to predict."""

    tokens: list[int]
    counts: list[bool]
    """For every token whether its prediction counts in the loss."""

    def cut(self, length: int) -> "Row":
        return Row(self.tokens[:length], self.counts[:length])

    def then(self, other: "Row") -> "Row":
        return Row(self.tokens + other.tokens, self.counts + other.counts)

    @property
    def n_predicted(self) -> int:
        """The first token is only read."""
        return sum(self.counts[1:])


def fact_row(fact: str, tokenizer: Tokenizer) -> Row:
    tokens = [*tokenizer.encode(fact), tokenizer.end_id]
    return Row(tokens, [True] * len(tokens))


def turn_row(turn: Turn, tokenizer: Tokenizer, mask_prompt: bool = False) -> Row:
    """With `mask_prompt` only the answer counts: what follows upon `Assistant:`."""
    tokens = [*tokenizer.encode(str(turn)), tokenizer.end_id]
    n_prompt = len(tokenizer.encode(ask_text(turn.user))) if mask_prompt else 0
    return Row(tokens, [False] * n_prompt + [True] * (len(tokens) - n_prompt))


def dialogue_row(dialogue: Dialogue, tokenizer: Tokenizer, mask_prompt: bool = False) -> Row:
    row = Row([], [])
    for turn in dialogue:
        row = row.then(turn_row(turn, tokenizer, mask_prompt))
    return row


class RowSource(Protocol):
    """The examples of a phase."""

    n_cut: int
    """Rows that were longer than the context, and lost their end."""
    clean: list[Row]
    """The rows without noise, in the order of the corpus."""

    def draw(self, rng: np.random.Generator) -> list[Row]:
        """The rows of an epoch, in the order of the corpus."""
        ...


class FactRows:
    """Sentences as they are."""

    def __init__(self, facts: Sequence[str], tokenizer: Tokenizer, max_seq_len: int) -> None:
        self.clean, self.n_cut = _fitting([fact_row(fact, tokenizer) for fact in facts], max_seq_len)

    def draw(self, rng: np.random.Generator) -> list[Row]:
        return self.clean


class DialogueRows:
    """Dialogues, in some of which words are misspelt, or which follow upon another dialogue."""

    def __init__(
        self, dialogues: Sequence[Dialogue], tokenizer: Tokenizer, max_seq_len: int, config: TrainConfig
    ) -> None:
        self.dialogues, self.tokenizer, self.max_seq_len = dialogues, tokenizer, max_seq_len
        self.config = config
        rows = [dialogue_row(dialogue, tokenizer, config.mask_prompt) for dialogue in dialogues]
        self.clean, self.n_cut = _fitting(rows, max_seq_len)

    def draw(self, rng: np.random.Generator) -> list[Row]:
        rows = self.clean
        if self.config.typos:
            rows = [self._misspelt(index, rng) for index in range(len(rows))]
        if self.config.joined:
            follows = rng.random(len(rows)) < self.config.joined
            before = rng.integers(0, len(rows), len(rows)).tolist()
            rows = [
                self._joined(rows[before[index]], row) if follows[index] else row
                for index, row in enumerate(rows)
            ]
        return rows

    def _misspelt(self, index: int, rng: np.random.Generator) -> Row:
        dialogue = self.dialogues[index]
        misspelt = tuple(
            Turn(with_typos(turn.user, self.config.typos, rng), turn.assistant) for turn in dialogue
        )
        if misspelt == dialogue:
            return self.clean[index]
        row = dialogue_row(misspelt, self.tokenizer, self.config.mask_prompt)
        return row.cut(self.max_seq_len + 1)

    def _joined(self, before: Row, row: Row) -> Row:
        both = before.then(row)
        return both if len(both.tokens) <= self.max_seq_len + 1 else row


def _fitting(rows: list[Row], max_seq_len: int) -> tuple[list[Row], int]:
    """The rows cut to what a context can hold, and how many were; rows with nothing to predict go.

    The last token of a row is only predicted, so that a row may be longer than the context by one.
    """
    longest = max_seq_len + 1
    n_cut = sum(len(row.tokens) > longest for row in rows)
    return [row.cut(longest) for row in rows], n_cut
