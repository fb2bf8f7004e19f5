"""What a model might have written in place of every token of an answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinychat.core.parameters import Floats, Ids
from tinychat.generation.beam import Beams
from tinychat.generation.sampling import Sampling, distribution
from tinychat.inspection.exchange import Exchange, exchange
from tinychat.inspection.reading import checked, copied, likeliest, probabilities, shown
from tinychat.model import Model

Distribution = Callable[[Floats, list[int]], Floats]
"""Maps logits of shape (V,), and the ids that the model has said so far, to the probabilities (V,) by which a
sampler draws: `lambda logits, said: distribution(logits, sampling, said)`."""


@dataclass(frozen=True)
class Sampled:
    """What a sampler makes of the probabilities, at each of N places."""

    probabilities: Floats
    """Shape (N, n), of the likeliest tokens; 0 for one that is cut."""
    probability: Floats
    """Shape (N,), of the token written."""
    left: Ids
    """Shape (N,): tokens of the whole vocabulary that are not cut."""


@dataclass(frozen=True)
class Alternatives:
    """Figures of each of the N tokens of an answer, and of the n likeliest tokens at its place."""

    exchange: Exchange
    probability: Floats
    """Shape (N,), of the token written."""
    rank: Ids
    """Shape (N,), of the token written: 1 for the likeliest."""
    entropy: Floats
    """Shape (N,), in nats, of all V probabilities: 0 if the model is certain, log V if it knows nothing."""
    ids: Ids
    """Shape (N, n), the likeliest first."""
    tokens: tuple[tuple[str, ...], ...]
    """Of `ids`."""
    probabilities: Floats
    """Shape (N, n), of `ids`."""
    sampled: Sampled | None = None
    """If a sampler's distribution was given."""


def alternatives(
    model: Model,
    prompt: str | Exchange,
    answer: str | Sequence[int] | None = None,
    n: int = 5,
    distribution: Distribution | None = None,
) -> Alternatives:
    """Tell what the model gives probability to at every place of an answer, its own if none is given.

    In place of a prompt, and of an answer, an exchange may be given.

    All places are computed at once, as in training: what is written at one does not change those before it.
    Raise UsageError as `exchange` does, or if n is below 1.
    """
    model = copied(model)
    said = prompt if isinstance(prompt, Exchange) else exchange(model, prompt, answer)
    n_prompt, written = len(said.prompt_ids), np.array(said.answer_ids)
    logits = model.transformer.forward(checked(model, said.read))[0, n_prompt - 1 :]  # (N, V)
    chances = probabilities(logits)
    ids, likely = likeliest(chances, n)
    probability = np.take_along_axis(chances, written[:, None], axis=1)[:, 0]
    order = np.argsort(-chances, axis=1, kind="stable")
    sampled = None
    if distribution is not None:
        earlier = (list(said.answer_ids[:place]) for place in range(len(written)))
        drawn = np.array([distribution(row, before) for row, before in zip(logits, earlier, strict=True)])
        sampled = Sampled(
            probabilities=np.take_along_axis(drawn, ids, axis=1),
            probability=np.take_along_axis(drawn, written[:, None], axis=1)[:, 0],
            left=np.count_nonzero(drawn, axis=1),
        )
    return Alternatives(
        exchange=said,
        probability=probability,
        rank=1 + np.argmax(order == written[:, None], axis=1),
        entropy=entropy(chances),
        ids=ids,
        tokens=tuple(shown(model.tokenizer, row) for row in ids.tolist()),
        probabilities=likely,
        sampled=sampled,
    )


def draws_of(sampling: Sampling | Beams) -> Distribution | None:
    """The distribution that tokens are drawn from; None where the likeliest is written, or beams find it."""
    if isinstance(sampling, Sampling) and sampling.temperature:
        return partial(_drawn, sampling)
    return None


def _drawn(sampling: Sampling, logits: Floats, said: list[int]) -> Floats:
    return distribution(logits, sampling, said)


def entropy(chances: Floats) -> Floats:
    """-sum p log p over the last axis, in nats (Shannon 1948); 0 log 0 is 0."""
    safe = np.where(chances > 0, chances, 1)
    total: Floats = -(chances * np.log(safe)).sum(axis=-1)
    return np.maximum(total, 0.0)  # never -0
