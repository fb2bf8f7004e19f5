"""Which examples a phase learns from, and which are held out to measure on."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.corpus import Corpus
from tinychat.errors import CorpusError
from tinychat.model import Model
from tinychat.presets import PRETRAIN
from tinychat.training.rows import DialogueRows, FactRows, RowSource
from tinychat.training.taught import with_taught
from tinychat.training.windows import WindowRows, split_text

SPLIT = 2**32
"""Stands where an epoch would: the random numbers that choose what is held out."""

Example = TypeVar("Example")


def split(
    model: Model, corpus: Corpus, phase: str, rng: Callable[..., np.random.Generator]
) -> tuple[RowSource, RowSource]:
    """The examples to learn from, and those that are held out: the same ones whenever this is asked.

    `rng` makes the phase's generator for a place in the run. What the model was taught is among the first.
    Raise CorpusError for a text too short for windows.
    """
    config = model.card.configs[phase]
    tokenizer, context = model.tokenizer, model.config.max_seq_len
    if phase == PRETRAIN and config.windows:
        return _windows(model, corpus, config)
    if phase == PRETRAIN:
        facts, other_facts = _parted(corpus.facts, config.validation, rng(SPLIT))
        return FactRows(facts, tokenizer, context), FactRows(other_facts, tokenizer, context)
    dialogues, others = _parted(corpus.dialogues, config.validation, rng(SPLIT))
    if model.card.taught:
        dialogues = with_taught(dialogues, model.card.taught, corpus.declines, rng(SPLIT, 1))
    return (
        DialogueRows(dialogues, tokenizer, context, config, corpus.declines),
        DialogueRows(others, tokenizer, context, config, corpus.declines),
    )


def _parted(
    examples: Sequence[Example], share: float, rng: np.random.Generator
) -> tuple[list[Example], list[Example]]:
    """All but that share of them, and the share: one at least, unless it is 0, and never all."""
    order = rng.permutation(len(examples))
    n_held_out = min(max(1, round(share * len(order))), len(order) - 1) if share else 0
    held_out = set(order[:n_held_out].tolist())
    return (
        [example for index, example in enumerate(examples) if index not in held_out],
        [example for index, example in enumerate(examples) if index in held_out],
    )


def _windows(model: Model, corpus: Corpus, config: TrainConfig) -> tuple[RowSource, RowSource]:
    """Of the beginning of the running text, and of its end."""
    [text] = corpus.facts
    tokens = np.array(model.tokenizer.encode(text), np.int32)
    learnt, rest = split_text(tokens, config.validation)
    context = model.config.max_seq_len
    if len(learnt) < 2:
        raise CorpusError(f"the text of {corpus.name!r} is too short for windows; give it more")
    return WindowRows(learnt, context, config.windows), WindowRows(rest, context)
