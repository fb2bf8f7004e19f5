"""What every layer would have said, were it the last one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinychat.core.parameters import Floats, Ids
from tinychat.inspection.reading import checked, copied, likeliest, probabilities, shown
from tinychat.model import Model


@dataclass(frozen=True)
class LogitLens:
    """The n likeliest next tokens at T places, read off behind the embedding and each of L blocks."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    """What was read."""
    next_ids: Ids
    """Shape (L + 1, T, n), the likeliest first: behind the embedding, and behind each block. The last says
    what the model says."""
    next_tokens: tuple[tuple[tuple[str, ...], ...], ...]
    """Of `next_ids`."""
    probabilities: Floats
    """Shape (L + 1, T, n), of `next_ids`."""


def logit_lens(model: Model, ids: Sequence[int], n: int = 5) -> LogitLens:
    """Apply the final norm and the output projection behind every layer (nostalgebraist 2020,
    "interpreting GPT: the logit lens").

    Layers add to the same sum, so that what is in it can be read at any depth by what reads its end. A
    post-norm model has no final norm, as each of its blocks ends with one: there what a block says goes to
    the output projection as it is. So does the embedding, which no norm has seen yet: its probabilities are
    those of a shorter or longer vector than the projection is used to, and tell less than those of blocks.

    Raise UsageError if the model cannot read the ids, or n is below 1.
    """
    model = copied(model)
    transformer = model.transformer
    x = transformer.embedding.forward(checked(model, ids))  # (1, T, D)
    states = [x]  # each in an array that its layer owns
    for block in transformer.blocks:
        x = block.forward(x)
        states.append(x)
    found = []
    for state in states:
        normed = state if transformer.norm is None else transformer.norm.forward(state)
        found.append(likeliest(probabilities(transformer.output.forward(normed)[0]), n))
    next_ids = np.stack([tokens for tokens, _ in found])
    return LogitLens(
        ids=tuple(ids),
        tokens=shown(model.tokenizer, ids),
        next_ids=next_ids,
        next_tokens=tuple(
            tuple(shown(model.tokenizer, place) for place in layer) for layer in next_ids.tolist()
        ),
        probabilities=np.stack([chances for _, chances in found]),
    )
