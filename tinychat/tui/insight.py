"""All that can be told about an answer: it is found at one go, and then walked through."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from tinychat.core.parameters import Floats
from tinychat.generation.reply import Reply
from tinychat.inspection import (
    Alternatives,
    AttentionMaps,
    LogitLens,
    alternatives,
    attention_maps,
    exchange_of,
    logit_lens,
)
from tinychat.inspection.alternatives import draws_of
from tinychat.model import Model

N_LIKELIEST = 5


@dataclass(frozen=True)
class Insight:
    """Of an answer of N tokens behind a prompt: T = prompt + N - 1 tokens were read."""

    alternatives: Alternatives
    maps: AttentionMaps
    lens: LogitLens
    n_tokens: int
    """Of the vocabulary."""
    pieces: tuple[str, ...]
    """The text that each of the T + 1 tokens adds; nothing, for one that is not a part of a text."""

    @property
    def n_prompt(self) -> int:
        return len(self.alternatives.exchange.prompt_ids)

    @property
    def n_answer(self) -> int:
        return len(self.alternatives.exchange.answer_ids)

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """All T + 1, as one can read them."""
        said = self.alternatives.exchange
        return (*said.prompt_tokens, *said.answer_tokens)

    def row(self, place: int) -> int:
        """Where the model stood in what it read as it chose the token at a place of the answer."""
        return self.n_prompt - 1 + place

    def looks(self, place: int, head: int | None) -> Floats:
        """Attention from there to each of the T tokens, shape (T,): of one head, or the mean of all.

        Heads are counted through all layers.
        """
        weights = self.maps.weights[:, :, self.row(place)]  # (L, H, T)
        weights = weights.reshape(-1, weights.shape[-1])
        found: Floats = weights.mean(axis=0) if head is None else weights[head]
        return found


def look_into(model: Model, reply: Reply) -> Insight:
    """Find it, with the weights that answered. Raise UsageError if nothing is written yet."""
    model = replace(model, transformer=reply.transformer, tokenizer=reply.tokenizer)
    said = exchange_of(reply)
    ids = [*said.prompt_ids, *said.answer_ids]
    texts = [reply.tokenizer.decode(ids[:end]).rstrip("�") for end in range(len(ids) + 1)]
    return Insight(
        alternatives=alternatives(model, said, n=N_LIKELIEST, distribution=draws_of(reply.sampling)),
        maps=attention_maps(model, said.read),
        lens=logit_lens(model, said.read, n=3),
        n_tokens=model.config.vocab_size,
        pieces=tuple(text[len(before) :] for before, text in pairwise(texts)),
    )
