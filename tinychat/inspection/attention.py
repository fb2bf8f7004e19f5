"""Where every head of every layer looks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinychat.core.parameters import Floats
from tinychat.inspection.reading import checked, copied, shown
from tinychat.model import Model


@dataclass(frozen=True)
class AttentionMaps:
    """Attention weights of all L layers and H heads, over T tokens."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    weights: Floats
    """Shape (L, H, T, T): [l, h, t, s] is the share that place t takes of the value at place s.

    Every row sums to 1, and is 0 behind t, and before the window of a sliding layer."""


def attention_maps(model: Model, ids: Sequence[int]) -> AttentionMaps:
    """Read the attention weights of a row of ids as the layers keep them (Vaswani et al. 2017, eq. 1).

    Heads that share keys and values (grouped-query attention) have maps of their own, as their queries
    differ. Raise UsageError if there are no ids, or more than the context has.
    """
    model = copied(model)
    model.transformer.forward(checked(model, ids))
    weights = np.stack([block.attention.weights[0] for block in model.transformer.blocks])
    return AttentionMaps(tuple(ids), shown(model.tokenizer, ids), weights)
