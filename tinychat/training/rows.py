"""From a corpus to rows of tokens, drawn anew in every epoch where the recipe adds noise."""

from collections import Counter
from collections.abc import Generator, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.corpus import Dialogue, Turn
from tinychat.corpus.dialogue import ask_text
from tinychat.tokenizer import Tokenizer
from tinychat.training.noise import with_made_up_words, with_noise, words

BEGINNING = (2, 4)
"""Fewest and most tokens of an answer that is cut short."""
TELLING = 3
"""A word tells what a question is about if the questions that have it get no more different answers."""

Example = TypeVar("Example")


class Row(NamedTuple):
    """One example: what a model reads, and what it is asked to predict."""

    tokens: list[int]
    counts: list[bool]
    """For every token whether its prediction counts in the loss."""

    def cut(self, length: int) -> "Row":
        return Row(self.tokens[:length], self.counts[:length])

    def counted_to(self, length: int) -> "Row":
        """Whole, but what is behind `length` tokens does not count."""
        return Row(self.tokens, self.counts[:length] + [False] * (len(self.tokens) - length))

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

    @property
    def clean(self) -> list[Row]:
        """The rows without noise, in the order of the corpus."""
        ...

    def drawing(self, rng: np.random.Generator) -> Generator[None, None, list[Row]]:
        """The rows of an epoch come in the end, after steps of which most are small."""
        ...


class FactRows:
    """Sentences as they are."""

    def __init__(self, facts: Sequence[str], tokenizer: Tokenizer, max_seq_len: int) -> None:
        _, self.clean, self.n_cut = _fitting(
            facts, [fact_row(fact, tokenizer) for fact in facts], max_seq_len
        )

    def drawing(self, rng: np.random.Generator) -> Generator[None, None, list[Row]]:
        yield from ()
        return self.clean


class DialogueRows:
    """Dialogues, with noise in the questions, and some that follow upon another one.

    Made-up words in the place of all telling ones teach that a familiar form of a question is not enough to
    answer it.
    """

    def __init__(
        self,
        dialogues: Sequence[Dialogue],
        tokenizer: Tokenizer,
        max_seq_len: int,
        config: TrainConfig,
        declines: Sequence[str] = (),
    ) -> None:
        """`declines` are the answers that are don't-knows; the first is given to unanswerable questions."""
        self.tokenizer, self.max_seq_len = tokenizer, max_seq_len
        self.config, self.declines = config, declines
        self._answers: dict[str, list[int]] = {}
        rows = [dialogue_row(dialogue, tokenizer, config.mask_prompt) for dialogue in dialogues]
        self.dialogues, self.clean, self.n_cut = _fitting(dialogues, rows, max_seq_len)
        wordings = Counter(dialogue[-1].assistant for dialogue in self.dialogues)
        self._common = [
            index
            for index, dialogue in enumerate(self.dialogues)
            if wordings[dialogue[-1].assistant] >= config.noise_from
        ]

    @cached_property
    def _telling(self) -> frozenset[str]:
        answers: dict[str, set[str]] = {}
        for dialogue in self.dialogues:
            for word in words(dialogue[0].user):
                answers.setdefault(word.lower(), set()).add(dialogue[0].assistant)
        return frozenset(word for word, found in answers.items() if len(found) <= TELLING)

    def drawing(self, rng: np.random.Generator) -> Generator[None, None, list[Row]]:
        rows, config = list(self.clean), self.config
        if any((config.typos, config.careless, config.unanswerable)):
            for index in self._common:
                rows[index] = self._noisy(index, rng)
                yield
        short = list(rows)
        if config.cut_answers and config.mask_prompt:
            for index in self._common:
                short[index] = self._short(rows[index], rng)
                yield
        return self._paired(rows, short, rng) if config.joined else short

    def _noisy(self, index: int, rng: np.random.Generator) -> Row:
        dialogue, config = self.dialogues[index], self.config
        if self.declines and rng.random() < config.unanswerable:
            noisy = self._unanswerable(dialogue, rng)
        else:
            noisy = tuple(Turn(with_noise(turn.user, config, rng), turn.assistant) for turn in dialogue)
        if noisy == dialogue:
            return self.clean[index]
        row = Row([], [])
        for turn in noisy:
            row = row.then(self._turn_row(turn))
        row = row.cut(self.max_seq_len + 1)
        return row if row.n_predicted else self.clean[index]  # a longer question may leave no room

    def _turn_row(self, turn: Turn) -> Row:
        """As `turn_row`, whose tokens of the answer are the same for every question."""
        prompt = self.tokenizer.encode(ask_text(turn.user))
        answer = self._answers.get(turn.assistant)
        if answer is None:
            answer = turn_row(turn, self.tokenizer).tokens[len(prompt) :]
            self._answers[turn.assistant] = answer
        return Row(prompt + answer, [not self.config.mask_prompt] * len(prompt) + [True] * len(answer))

    def _unanswerable(self, dialogue: Dialogue, rng: np.random.Generator) -> Dialogue:
        """The dialogue itself if it has several turns, is a don't-know already, or has no telling word."""
        question = with_made_up_words(dialogue[0].user, self._telling, rng)
        if len(dialogue) > 1 or dialogue[0].assistant in self.declines or question == dialogue[0].user:
            return dialogue
        return (Turn(question, self.declines[0]),)

    def _short(self, row: Row, rng: np.random.Generator) -> Row:
        """Perhaps without the end of its last answer."""
        if rng.random() >= self.config.cut_answers:
            return row
        n_prompt = len(row.counts) - row.counts[::-1].index(False)
        return row.cut(n_prompt + int(rng.integers(*BEGINNING, endpoint=True)))

    def _paired(self, rows: Sequence[Row], short: list[Row], rng: np.random.Generator) -> list[Row]:
        """The short rows; in the place of some of them pairs of whole ones, unless they are too long.

        Of a pair's first answer counts what would count of it alone.
        """
        order = [self._common[place] for place in rng.permutation(len(self._common)).tolist()]
        n_pairs = int(len(order) * self.config.joined / 2)
        gone = set()
        for first, second in zip(order[:n_pairs], order[n_pairs : 2 * n_pairs], strict=True):
            both = rows[first].counted_to(len(short[first].tokens)).then(rows[second])
            if len(both.tokens) <= self.max_seq_len + 1:
                short[second] = both
                gone.add(first)
        return [row for index, row in enumerate(short) if index not in gone]


def _fitting(
    examples: Sequence[Example], rows: Sequence[Row], max_seq_len: int
) -> tuple[list[Example], list[Row], int]:
    """The rows cut to what a context can hold, and how many were; those with nothing left to predict go.

    The last token of a row is only predicted, so that a row may be longer than the context by one.
    """
    longest = max_seq_len + 1
    n_cut = sum(len(row.tokens) > longest for row in rows)
    cut = [(example, row.cut(longest)) for example, row in zip(examples, rows, strict=True)]
    kept = [(example, row) for example, row in cut if row.n_predicted]
    return [example for example, _ in kept], [row for _, row in kept], n_cut
