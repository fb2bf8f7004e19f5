"""Answers to many questions at a time, for measuring."""

from collections.abc import Sequence

from tinychat.corpus.dialogue import Turn
from tinychat.generation.greedy import greedy_batch
from tinychat.generation.reply import reply_to
from tinychat.model import Model


def answers(model: Model, questions: Sequence[tuple[str, Sequence[Turn]]]) -> list[str]:
    """The answers to questions, each with the turns before it, by greedy decoding."""
    transformer, tokenizer = model.transformer, model.tokenizer
    replies = [
        reply_to(question, transformer, tokenizer, model.card.is_chat, earlier)
        for question, earlier in questions
    ]
    written = greedy_batch(transformer, [reply.prompt_ids for reply in replies], tokenizer.end_id)
    for reply, ids in zip(replies, written, strict=True):
        reply.ids += ids
    return [reply.text for reply in replies]
