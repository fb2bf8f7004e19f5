"""Shapes of models by name, and whole models that were never trained."""

from collections.abc import Sequence
from typing import Any

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.model import Model, ModelCard
from tinychat.tokenizer import Tokenizer

NAMED: dict[str, dict[str, Any]] = {
    "gpt2": {
        "norm_position": "pre",
        "activation": "gelu_tanh",
        "attention_bias": True,
        "attention_output": True,
        "output_bias": False,
        "tie_embeddings": True,
        "n_heads": 2,
        "n_kv_heads": 2,
        "head_dim": 3,
    },
    "llama": {
        "norm": "rmsnorm",
        "norm_position": "pre",
        "positions": "rope",
        "activation": "silu",
        "gated": True,
        "bias": False,
        "attention_output": True,
        "output_bias": False,
        "n_heads": 4,
        "n_kv_heads": 2,
        "head_dim": 2,
    },
    "gemma3": {
        "norm": "rmsnorm",
        "norm_position": "sandwich",
        "norm_eps": 1e-6,
        "positions": "rope",
        "rope_theta": 1e6,
        "rope_local_theta": 1e4,
        "activation": "gelu_tanh",
        "gated": True,
        "bias": False,
        "attention_output": True,
        "output_bias": False,
        "qk_norm": True,
        "sliding_window": 2,
        "layer_types": ("sliding", "full"),
        "tie_embeddings": True,
        "embedding_scale": True,
        "n_heads": 4,
        "n_kv_heads": 1,
        "head_dim": 4,
    },
}
"""How far well-known models differ from the default, in small."""


def untrained(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    prompt: str,
    max_turns: int = 1,
    seed: int = 0,
    **shape: Any,
) -> Model:
    """A model whose weights are all 0, as if it were to learn `texts`; `prompt` is its sample prompt."""
    transformer = Transformer(ModelConfig(vocab_size=tokenizer.vocab_size, **shape))
    card = ModelCard(
        preset="classic",
        seed=seed,
        corpus="test",
        corpus_source="test",
        corpus_fingerprint="",
        n_facts=0,
        n_dialogues=len(texts),
        max_turns=max_turns,
        sample_prompts={"tune": prompt},
    )
    return Model(transformer, tokenizer, card)
