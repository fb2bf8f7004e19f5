"""Answers to many questions at a time, for measuring."""

from collections.abc import Sequence

from tinychat.corpus.dialogue import Turn
from tinychat.generation.greedy import greedy_batch
from tinychat.generation.reply import reply_to
from tinychat.model import Model


def answers(model: Model, questions: Sequence[tuple[str, Sequence[Turn]]]) -> list[str]:
    """The answers to questions, each with the turns before it, by greedy decoding."""
    transformer, tokenizer = model.transformer, model.tokenizer
    prompts = [
        reply_to(question, transformer, tokenizer, model.card.is_chat, earlier).prompt_ids
        for question, earlier in questions
    ]
    written = greedy_batch(transformer, prompts, tokenizer.end_id)
    return [tokenizer.decode(ids).removeprefix(" ") for ids in written]
