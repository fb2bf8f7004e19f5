"""Small models of the whole family, never trained, and words to learn."""

from typing import Any

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.model import Model, ModelCard
from tinychat.tokenizer import Tokenizer, WordTokenizer

ANIMALS = ("cat", "dog", "horse")
COLOURS = ("red", "green", "blue")
TEXTS = ("User: What falls? Assistant: Rain falls from clouds, slowly.", "User: Who sings? Assistant: Birds!")

FAMILY: dict[str, dict[str, Any]] = {
    "classic": {"head_dim": 8},
    "many heads": {"n_heads": 4, "n_kv_heads": 4, "head_dim": 2, "attention_bias": True},
    "grouped": {"n_heads": 4, "n_kv_heads": 2, "head_dim": 6, "attention_output": True},
    "pre": {"head_dim": 8, "norm_position": "pre", "positions": "none", "logit_softcap": 3.0},
    "llama": {
        "n_heads": 4,
        "n_kv_heads": 1,
        "head_dim": 4,
        "attention_output": True,
        "norm": "rmsnorm",
        "norm_position": "pre",
        "positions": "rope",
        "activation": "silu",
        "gated": True,
        "bias": False,
        "output_bias": False,
        "tie_embeddings": True,
    },
    "gemma": {
        "n_heads": 2,
        "n_kv_heads": 1,
        "head_dim": 4,
        "attention_output": True,
        "norm": "rmsnorm",
        "norm_position": "sandwich",
        "positions": "rope",
        "rope_theta": 100.0,
        "rope_local_theta": 10.0,
        "sliding_window": 3,
        "layer_types": ("sliding", "full"),
        "qk_norm": True,
        "embedding_scale": True,
        "tie_embeddings": True,
    },
}


def build(tokenizer: Tokenizer | None = None, max_turns: int = 1, **changes: Any) -> Model:
    """Every weight is away from 0 and 1, so that nothing that is forgotten goes unseen."""
    tokenizer = tokenizer or WordTokenizer.train(TEXTS)
    shape = {"n_layers": 2, "d_model": 8, "d_ff": 10, "max_seq_len": 24, "head_dim": 8}
    transformer = Transformer(ModelConfig(vocab_size=tokenizer.vocab_size, **{**shape, **changes}))
    values = transformer.parameters.values
    values[...] = 0.5 * np.random.default_rng(1).standard_normal(values.size)
    for name, view in transformer.parameters.views(values):
        if name.endswith(".gain"):
            view += 1.0
    card = ModelCard(
        preset="classic",
        seed=0,
        corpus="test",
        corpus_source="test",
        corpus_fingerprint="",
        n_facts=0,
        n_dialogues=len(TEXTS),
        max_turns=max_turns,
        sample_prompts={"tune": "What falls?"},
    )
    return Model(transformer, tokenizer, card)
