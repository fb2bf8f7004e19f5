"""How well a model knows a corpus."""

import math
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.corpus import Corpus, Dialogue
from tinychat.generation.answers import answers
from tinychat.model import Model
from tinychat.presets import PRETRAIN
from tinychat.training.batches import grouped, to_batch
from tinychat.training.held_out import HeldOut, measure_held_out
from tinychat.training.rows import DialogueRows, FactRows, RowSource
from tinychat.training.windows import WindowRows

_ROWS = 16
"""Measured at a time."""


@dataclass(frozen=True)
class Evaluation:
    """Figures over all facts and dialogues of a corpus."""

    loss: float
    """Nats per token."""
    perplexity: float
    accuracy: float
    """Share of tokens to which the model gives the highest probability."""
    exact: int
    """Dialogues whose answers all come out word for word by greedy decoding."""
    dialogues: int
    held_out: HeldOut | None
    """None if the corpus holds nothing out."""
    n_cut: int
    """Rows that were longer than the context and were measured without their end."""


def evaluate(model: Model, corpus: Corpus) -> Evaluation:
    """Loss and accuracy of the next token, and the dialogues that are answered word for word."""
    corpus.check()
    with threadpool_limits(limits=1, user_api="blas"):
        context = model.config.max_seq_len
        facts = _fact_rows(model, corpus)
        dialogues = DialogueRows(corpus.dialogues, model.tokenizer, context, TrainConfig())
        batches = grouped([*facts.clean, *dialogues.clean], _ROWS, np.random.default_rng(0))
        loss = Loss.sum(model.transformer.loss(*to_batch(rows)) for rows in batches)
        return Evaluation(
            loss=loss.mean,
            perplexity=math.exp(min(loss.mean, 700.0)),
            accuracy=loss.correct / max(loss.tokens, 1),
            exact=sum(answered_exactly(model, corpus.dialogues)),
            dialogues=len(corpus.dialogues),
            held_out=measure_held_out(
                lambda questions: answers(model, [(question, ()) for question in questions]), corpus
            )
            if corpus.held_out
            else None,
            n_cut=facts.n_cut + dialogues.n_cut,
        )


def _fact_rows(model: Model, corpus: Corpus) -> RowSource:
    """As the model learnt facts: by sentences, or as running text."""
    pretraining = model.card.configs.get(PRETRAIN)
    if pretraining and pretraining.windows and corpus.facts:
        [text] = corpus.as_running_text().facts
        return WindowRows(np.array(model.tokenizer.encode(text), np.int32), model.config.max_seq_len)
    return FactRows(corpus.facts, model.tokenizer, model.config.max_seq_len)


def answered_exactly(model: Model, dialogues: tuple[Dialogue, ...]) -> list[bool]:
    """For each dialogue whether every answer comes out word for word, the turns before it as they stand."""
    asked = [(dialogue[n].user, dialogue[:n]) for dialogue in dialogues for n in range(len(dialogue))]
    found = answers(model, asked)
    exact, first = [], 0
    for dialogue in dialogues:
        exact.append(found[first : first + len(dialogue)] == [turn.assistant for turn in dialogue])
        first += len(dialogue)
    return exact
