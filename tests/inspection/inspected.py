"""Small models of the whole family, never trained, and words to learn."""

from typing import Any

import numpy as np
from small_models import NAMED, untrained

from tinychat.model import Model
from tinychat.tokenizer import Tokenizer, WordTokenizer

ANIMALS = ("cat", "dog", "horse")
COLOURS = ("red", "green", "blue")
TEXTS = ("User: What falls? Assistant: Rain falls from clouds, slowly.", "User: Who sings? Assistant: Birds!")

FAMILY: dict[str, dict[str, Any]] = {
    "classic": {"head_dim": 8},
    "many heads": {"n_heads": 4, "n_kv_heads": 4, "head_dim": 2, "attention_bias": True},
    "grouped": {"n_heads": 4, "n_kv_heads": 2, "head_dim": 6, "attention_output": True},
    "pre": {"head_dim": 8, "norm_position": "pre", "positions": "none", "logit_softcap": 3.0},
    "llama": {**NAMED["llama"], "n_kv_heads": 1, "head_dim": 4, "tie_embeddings": True},
    "gemma": {**NAMED["gemma3"], "sliding_window": 3, "rope_theta": 100.0, "rope_local_theta": 10.0},
}


def build(tokenizer: Tokenizer | None = None, max_turns: int = 1, **changes: Any) -> Model:
    """Every weight is away from 0 and 1, so that nothing that is forgotten goes unseen."""
    tokenizer = tokenizer or WordTokenizer.train(TEXTS)
    shape = {"n_layers": 2, "d_model": 8, "d_ff": 10, "max_seq_len": 24, "head_dim": 8}
    model = untrained(tokenizer, TEXTS, "What falls?", max_turns, **{**shape, **changes})
    transformer = model.transformer
    values = transformer.parameters.values
    values[...] = 0.5 * np.random.default_rng(1).standard_normal(values.size)
    for name, view in transformer.parameters.views(values):
        if name.endswith(".gain"):
            view += 1.0
    return model
