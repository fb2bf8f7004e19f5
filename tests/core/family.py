"""The model family as a list of small whole models: each value alone, many together, and three by name."""

from itertools import product
from typing import Any

import numpy as np
from gradients import small_config
from small_models import NAMED

from tinychat.config import ModelConfig
from tinychat.errors import ConfigError

ALONE: dict[str, dict[str, Any]] = {
    "default": {},
    "rmsnorm": {"norm": "rmsnorm"},
    "pre": {"norm_position": "pre"},
    "sandwich": {"norm_position": "sandwich"},
    "norm_eps": {"norm_eps": 0.1},
    "sinusoidal": {"positions": "sinusoidal"},
    "rope": {"positions": "rope"},
    "rope_theta": {"positions": "rope", "rope_theta": 30.0},
    "none": {"positions": "none"},
    "gelu": {"activation": "gelu"},
    "gelu_tanh": {"activation": "gelu_tanh"},
    "silu": {"activation": "silu"},
    "gated": {"gated": True},
    "bias": {"bias": False},
    "attention_bias": {"attention_bias": True},
    "attention_output": {"attention_output": True},
    "wide_heads": {"attention_output": True, "n_heads": 2, "n_kv_heads": 2, "head_dim": 5},
    "output_bias": {"output_bias": False},
    "qk_norm": {"qk_norm": True},
    "two_heads": {"n_heads": 2, "n_kv_heads": 2, "head_dim": 3},
    "grouped": {"n_heads": 2, "n_kv_heads": 1, "head_dim": 3},
    "two_groups": {"attention_output": True, "n_heads": 4, "n_kv_heads": 2, "head_dim": 3},
    "sliding_window": {"sliding_window": 2, "layer_types": ("full", "sliding")},
    "rope_local_theta": {
        "positions": "rope",
        "rope_local_theta": 7.0,
        "sliding_window": 3,
        "layer_types": ("sliding", "full"),
    },
    "tie_embeddings": {"tie_embeddings": True},
    "embedding_scale": {"embedding_scale": True},
    "logit_softcap": {"logit_softcap": 2.0},
    "dropout": {"dropout": 0.3},
}
"""What is changed from the default; a value that needs others comes with them."""

VALUES: dict[str, tuple[Any, ...]] = {
    "heads": ((1, 1, 6), (2, 1, 3), (2, 2, 3), (3, 1, 2), (4, 2, 4), (4, 1, 4)),
    "norm": ("layernorm", "rmsnorm"),
    "norm_position": ("post", "pre", "sandwich"),
    "norm_eps": (1e-5, 0.1),
    "positions": ("learned", "sinusoidal", "rope", "none"),
    "rope_theta": (1e4, 30.0),
    "rope_local_theta": (None, 7.0),
    "activation": ("relu", "gelu", "gelu_tanh", "silu"),
    "gated": (False, True),
    "bias": (False, True),
    "attention_bias": (False, True),
    "attention_output": (False, True),
    "output_bias": (False, True),
    "qk_norm": (False, True),
    "sliding_window": (None, 2, 3, 50),
    "layer_types": ((), *product(("full", "sliding"), repeat=2)),
    "tie_embeddings": (False, True),
    "embedding_scale": (False, True),
    "logit_softcap": (None, 2.0),
    "dropout": (0.0, 0.3),
}
"""What the combinations are drawn from; `heads` are n_heads, n_kv_heads and head_dim."""


def drawn(count: int, seed: int) -> dict[str, dict[str, Any]]:
    """Combinations of VALUES that are valid together, by a number."""
    rng = np.random.default_rng(seed)
    found: dict[str, dict[str, Any]] = {}
    while len(found) < count:
        values = {name: some[rng.integers(len(some))] for name, some in VALUES.items()}
        values["n_heads"], values["n_kv_heads"], values["head_dim"] = values.pop("heads")
        # The layer norm of two numbers is 1 and -1 or -1 and 1 whatever they are: no gradient comes through.
        if values["head_dim"] == 2 and values["qk_norm"] and values["norm"] == "layernorm":
            continue
        try:
            small_config(**values)
        except ConfigError:
            continue
        found[f"drawn{len(found)}"] = values
    return found


TOGETHER = drawn(16, seed=13)  # a seed under which every value occurs
FAMILY: dict[str, ModelConfig] = {
    name: small_config(**changes) for name, changes in {**ALONE, **NAMED, **TOGETHER}.items()
}
