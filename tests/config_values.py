"""Values that the fields of a config take, and values that they do not."""

from math import inf, nan
from typing import Any

from hypothesis import strategies as st

from tinychat.config import ModelConfig, TrainConfig

NOT_COUNTS = (0, -1, 1.5, 2.0, "8", None, True, nan, [1])
NOT_POSITIVE = (0, 0.0, -1.0, inf, nan, "1", None, True)
NOT_CHOICES = ("", "nonsense", "Rope", None, 1.5, ["relu"])
NOT_FLAGS = ("yes", "false", None, 2, -1, [])
MODEL_NONSENSE: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(
        ("vocab_size", "n_layers", "d_model", "d_ff", "n_heads", "n_kv_heads", "head_dim"), NOT_COUNTS
    ),
    "max_seq_len": (*NOT_COUNTS, 1),
    **dict.fromkeys(("norm_eps", "rope_theta"), NOT_POSITIVE),
    "rope_local_theta": (0, 0.0, -1.0, inf, nan, "1", True),
    **dict.fromkeys(("norm", "norm_position", "positions", "activation"), NOT_CHOICES),
    **dict.fromkeys(("gated", "bias", "attention_bias", "attention_output", "output_bias"), NOT_FLAGS),
    **dict.fromkeys(("qk_norm", "tie_embeddings", "embedding_scale"), NOT_FLAGS),
    "sliding_window": (0, -1, 1.5, "8", True),
    "layer_types": (["banana"], "full", [None], 5, None, [["full"]], ["full"] * 2),
    "logit_softcap": (0, -1.0, nan, inf, "30", True),
    "dropout": (-0.1, 1.0, 2, nan, "0", None, False),
}
WHOLE_SHARES = ("final_lr", "typos", "careless", "unanswerable", "cut_answers", "joined")
"""Fields that may be 1."""
NOT_SHARES = (-0.1, 1, 1.0, 1.5, inf, nan, "0.9", None, [], False)
TRAIN_NONSENSE: dict[str, tuple[object, ...]] = {
    "epochs": (-1, 1.5, 100.0, "3", None, True),
    "min_updates": (-1, 1.5, 100.0, "3", None, True),
    "windows": (-1, 1.5, 100.0, "3", None, True),
    "patience": (-1, 1.5, 100.0, "3", None, True),
    **dict.fromkeys(("sample_every", "batch_size", "accumulate", "workers", "noise_from"), NOT_COUNTS),
    **dict.fromkeys(("lr", "hidden_lr", "clip_norm", "eps"), NOT_POSITIVE),
    **dict.fromkeys(("beta1", "beta2", "momentum", "weight_decay"), NOT_SHARES),
    **dict.fromkeys(("ema_decay", "validation", "warmup"), NOT_SHARES),
    **dict.fromkeys(WHOLE_SHARES, (-0.1, 1.1, inf, nan, "0.9", None, [], True)),
    **dict.fromkeys(("schedule", "optimizer"), NOT_CHOICES),
    "mask_prompt": NOT_FLAGS,
}
SLIDING: dict[str, Any] = {"sliding_window": 16, "layer_types": ("full", "sliding", "full")}
MODEL_OTHERS: dict[str, tuple[dict[str, Any], ...]] = {
    "vocab_size": ({"vocab_size": 1},),
    "n_layers": ({"n_layers": 1},),
    "d_model": ({"d_model": 64, "head_dim": 64},),
    "d_ff": ({"d_ff": 1},),
    "n_heads": ({"n_heads": 4, "n_kv_heads": 4, "head_dim": 32},),
    "n_kv_heads": ({"n_heads": 4, "n_kv_heads": 2, "head_dim": 32},),
    "head_dim": ({"head_dim": 5, "attention_output": True},),
    "max_seq_len": ({"max_seq_len": 2},),
    "norm": ({"norm": "rmsnorm"},),
    "norm_position": ({"norm_position": "pre"}, {"norm_position": "sandwich"}),
    "norm_eps": ({"norm_eps": 1e-6},),
    "positions": ({"positions": "sinusoidal"}, {"positions": "rope"}, {"positions": "none"}),
    "rope_theta": ({"rope_theta": 1e6, "positions": "rope"}, {"rope_theta": 1, "positions": "rope"}),
    "rope_local_theta": ({"rope_local_theta": 100.0, "positions": "rope", **SLIDING},),
    "activation": ({"activation": "gelu"}, {"activation": "gelu_tanh"}, {"activation": "silu"}),
    "gated": ({"gated": True},),
    "bias": ({"bias": False},),
    "attention_bias": ({"attention_bias": True},),
    "attention_output": (
        {"attention_output": True},
        {"attention_output": True, "n_heads": 4, "n_kv_heads": 1, "head_dim": 64},
    ),
    "output_bias": ({"output_bias": False},),
    "qk_norm": ({"qk_norm": True},),
    "sliding_window": (SLIDING, {**SLIDING, "sliding_window": 1}, {**SLIDING, "sliding_window": 1000}),
    "layer_types": ({"layer_types": ("full",) * 3}, {**SLIDING, "layer_types": ("sliding",) * 3}),
    "tie_embeddings": ({"tie_embeddings": True},),
    "embedding_scale": ({"embedding_scale": True},),
    "logit_softcap": ({"logit_softcap": 30.0}, {"logit_softcap": 1}),
    "dropout": ({"dropout": 0.1},),
}
"""By field, changes that give it another value than the default."""
TRAIN_OTHERS: dict[str, tuple[dict[str, Any], ...]] = {
    "epochs": ({"epochs": 0},),
    "min_updates": ({"min_updates": 60},),
    "lr": ({"lr": 1},),
    "schedule": (
        {"schedule": "cosine"},
        {"schedule": "linear"},
        {"schedule": "inverse_sqrt", "warmup": 0.1},
    ),
    "warmup": ({"warmup": 0.99},),
    "final_lr": ({"final_lr": 1}, {"final_lr": 0.1}),
    "windows": ({"windows": 100},),
    "batch_size": ({"batch_size": 8},),
    "accumulate": ({"accumulate": 2},),
    "workers": ({"workers": 2},),
    "mask_prompt": ({"mask_prompt": True},),
    "optimizer": ({"optimizer": "adamw"}, {"optimizer": "sgd"}, {"optimizer": "muon"}),
    "beta1": ({"beta1": 0},),
    "beta2": ({"beta2": 0.0},),
    "eps": ({"eps": 1e-10},),
    "momentum": ({"momentum": 0.0},),
    "hidden_lr": ({"hidden_lr": 0.5},),
    "weight_decay": tuple({"weight_decay": 0.1, "optimizer": name} for name in ("adamw", "sgd", "muon")),
    "clip_norm": ({"clip_norm": 1.0},),
    "ema_decay": ({"ema_decay": 0.99},),
    "validation": ({"validation": 0.1},),
    "patience": ({"patience": 5, "validation": 0.1},),
    "noise_from": ({"noise_from": 10},),
    "typos": ({"typos": 0.1}, {"typos": 1}),
    "careless": ({"careless": 0.1},),
    "unanswerable": ({"unanswerable": 0.1},),
    "cut_answers": ({"cut_answers": 1},),
    "joined": ({"joined": 1.0},),
    "sample_every": ({"sample_every": 1},),
}
COUNTS = st.integers(1, 10**6)
POSITIVE = st.floats(0, exclude_min=True, allow_infinity=False) | COUNTS
SHARES = st.floats(0, 1, exclude_max=True)
FLAGS = (
    *("gated", "bias", "attention_bias", "attention_output", "output_bias"),
    *("qk_norm", "tie_embeddings", "embedding_scale"),
)
MODELS = st.tuples(st.integers(1, 16), st.integers(1, 128)).flatmap(
    lambda heads: st.builds(
        ModelConfig,
        vocab_size=COUNTS,
        n_layers=COUNTS,
        d_ff=COUNTS,
        d_model=st.just(heads[0] * heads[1]),
        n_heads=st.just(heads[0]),
        n_kv_heads=st.just(heads[0]),
        head_dim=st.just(heads[1]),
        max_seq_len=st.integers(2, 10**6),
        norm=st.sampled_from(["layernorm", "rmsnorm"]),
        norm_position=st.sampled_from(["post", "pre", "sandwich"]),
        norm_eps=POSITIVE,
        positions=st.sampled_from(["learned", "none"]),
        rope_theta=POSITIVE,
        activation=st.sampled_from(["relu", "gelu", "gelu_tanh", "silu"]),
        logit_softcap=st.none() | POSITIVE,
        dropout=SHARES,
        **dict.fromkeys(FLAGS, st.booleans()),
    )
)
RECIPES = st.builds(
    TrainConfig,
    epochs=st.integers(0, 10**6),
    schedule=st.sampled_from(["constant", "cosine", "linear"]),
    mask_prompt=st.booleans(),
    optimizer=st.sampled_from(["adamw", "sgd", "muon"]),
    **dict.fromkeys(("lr", "hidden_lr", "clip_norm", "eps"), POSITIVE),
    **dict.fromkeys(("sample_every", "batch_size", "accumulate", "workers"), COUNTS),
    **dict.fromkeys(("beta1", "beta2", "momentum", "weight_decay"), SHARES),
    **dict.fromkeys(("ema_decay", "validation", "warmup"), SHARES),
    **dict.fromkeys(WHOLE_SHARES, SHARES | st.just(1)),
)
