"""How well a model knows a corpus."""

import math
from dataclasses import dataclass
from itertools import islice

from threadpoolctl import threadpool_limits

from tinychat.corpus import Corpus, Dialogue
from tinychat.generation.greedy import greedy
from tinychat.generation.reply import reply_to
from tinychat.model import Model
from tinychat.training.rows import Batches, Rows


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
    n_cut: int
    """Rows that were longer than the context and were measured without their end."""


def evaluate(model: Model, corpus: Corpus) -> Evaluation:
    """Loss and accuracy of the next token, and the dialogues that are answered word for word."""
    corpus.check()
    with threadpool_limits(limits=1, user_api="blas"):
        rows = Rows.of(corpus, model.tokenizer, model.config.max_seq_len)
        batches = Batches([*rows.facts, *rows.dialogues])
        losses = [model.transformer.loss(*batches[index]) for index in range(len(batches))]
        tokens = sum(loss.tokens for loss in losses)
        mean = sum(loss.total for loss in losses) / tokens
        return Evaluation(
            loss=mean,
            perplexity=math.exp(min(mean, 700.0)),
            accuracy=sum(loss.correct for loss in losses) / tokens,
            exact=sum(answers_exactly(model, dialogue) for dialogue in corpus.dialogues),
            dialogues=len(corpus.dialogues),
            n_cut=rows.n_cut,
        )


def answers_exactly(model: Model, dialogue: Dialogue) -> bool:
    """Whether every answer comes out word for word, the turns before it being as they stand."""
    for n_before, turn in enumerate(dialogue):
        reply = reply_to(turn.user, model.transformer, model.tokenizer, True, dialogue[:n_before])
        wanted = model.tokenizer.encode(turn.assistant)
        # One token more than wanted tells an answer that goes on from one that ends.
        written = list(
            islice(greedy(model.transformer, reply.prompt_ids, model.tokenizer.end_id), len(wanted) + 1)
        )
        if model.tokenizer.decode(written) != turn.assistant:
            return False
    return True
