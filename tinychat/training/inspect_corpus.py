"""What is in a corpus, before anything is trained on it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tinychat.corpus import Corpus, Dialogue
from tinychat.errors import ConfigError
from tinychat.training.rows import dialogue_row, fact_row
from tinychat.training.vocabulary import tokenizer_for

_STEP = 8
"""Tokens from one bar of the histogram to the next."""


@dataclass(frozen=True)
class Inspection:
    """Counts; lists hold the texts themselves."""

    facts: int
    dialogues: int
    turns: int
    answers: int
    """Different ones."""
    held_out: int
    declines: int
    """Dialogues that end with a don't-know."""
    tokenizer: str
    vocab_size: int
    tokens: int
    """In all rows."""
    context: int
    lengths: list[tuple[int, int, int]]
    """First and last length in tokens, and how many rows are so long."""
    cut: list[str]
    """Beginnings of the rows that are longer than the context."""
    once: int
    """Tokens of the vocabulary that occur a single time."""
    held_out_unknown: int
    """Held-out dialogues with a word that the vocabulary does not have."""
    duplicate_facts: list[str]
    duplicate_questions: list[str]
    """Dialogues with the same answers, and questions that differ in case and punctuation at most."""
    contradictions: list[str]
    """Questions that are the same but for case and punctuation, and have different answers."""


def inspect_corpus(corpus: Corpus, kind: str, vocab_size: int, max_seq_len: int) -> Inspection:
    """Count with a new tokenizer of the kind, against a context of `max_seq_len` tokens.

    Raise CorpusError for an empty corpus, ConfigError for a context below 2.
    """
    corpus.check()
    if max_seq_len < 2:
        raise ConfigError("the context must be at least 2: one token to read and one to predict")
    tokenizer = tokenizer_for(corpus, kind, vocab_size)
    rows = [fact_row(fact, tokenizer).tokens for fact in corpus.facts]
    rows += [dialogue_row(dialogue, tokenizer).tokens for dialogue in corpus.dialogues]
    texts = [*corpus.facts, *(" ".join(map(str, dialogue)) for dialogue in corpus.dialogues)]
    uses = Counter(token for row in rows for token in row)
    same, contrary = _repeated(corpus.dialogues)
    return Inspection(
        facts=len(corpus.facts),
        dialogues=len(corpus.dialogues),
        turns=sum(map(len, corpus.dialogues)),
        answers=len({turn.assistant for dialogue in corpus.dialogues for turn in dialogue}),
        held_out=len(corpus.held_out),
        declines=sum(dialogue[-1].assistant in corpus.declines for dialogue in corpus.dialogues),
        tokenizer=kind,
        vocab_size=tokenizer.vocab_size,
        tokens=sum(map(len, rows)),
        context=max_seq_len,
        lengths=_histogram(map(len, rows)),
        # The last token of a row is only predicted: it needs no place in the context.
        cut=[text[:60] for text, row in zip(texts, rows, strict=True) if len(row) > max_seq_len + 1],
        once=sum(count == 1 for count in uses.values()),
        held_out_unknown=sum(
            any(tokenizer.unknown_spans(str(turn)) for turn in dialogue) for dialogue in corpus.held_out
        ),
        duplicate_facts=[fact for fact, count in Counter(map(_plain, corpus.facts)).items() if count > 1],
        duplicate_questions=same,
        contradictions=contrary,
    )


def _histogram(lengths: Iterable[int]) -> list[tuple[int, int, int]]:
    counts = Counter((length - 1) // _STEP for length in lengths)
    return [(bar * _STEP + 1, (bar + 1) * _STEP, counts[bar]) for bar in range(max(counts, default=-1) + 1)]


def _repeated(dialogues: Iterable[Dialogue]) -> tuple[list[str], list[str]]:
    """Questions (with the turns before them) that stand twice with one answer, and those with several."""
    answers: dict[str, list[str]] = {}
    for dialogue in dialogues:
        question = " / ".join([*(str(turn) for turn in dialogue[:-1]), dialogue[-1].user])
        answers.setdefault(_plain(question), []).append(dialogue[-1].assistant)
    repeated = {question: found for question, found in answers.items() if len(found) > 1}
    same = [question for question, found in repeated.items() if len(set(found)) == 1]
    return same, [question for question in repeated if question not in same]


def _plain(text: str) -> str:
    """Lower case, letters and figures only, single spaces."""
    return " ".join("".join(char if char.isalnum() else " " for char in text.lower()).split())
