"""What a model and a training run look like: frozen dataclasses that validate themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tinychat.errors import ConfigError, UnsupportedConfigError

IGNORE = -1
"""Target id of a position that does not count in the loss."""


def _check_numbers(config: object, integers: tuple[str, ...], positive: tuple[str, ...]) -> None:
    for name in integers:
        value = getattr(config, name)
        if type(value) is not int or value < 1:
            raise ConfigError(f"{name} must be a whole number of at least 1, not {value!r}")
    for name in positive:
        value = getattr(config, name)
        if type(value) not in (int, float) or not 0 < value < float("inf"):
            raise ConfigError(f"{name} must be a number above 0, not {value!r}")


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a transformer. The defaults are the `classic` model; only the vocabulary must be given.

    One config spans the whole model family (GPT-2, Llama and Gemma 3 are values of it).
    Values that the family knows and this version does not compute raise UnsupportedConfigError;
    contradictions raise ConfigError.
    """

    vocab_size: int
    n_layers: int = 3
    d_model: int = 128
    d_ff: int = 256
    n_heads: int = 1
    n_kv_heads: int = 1
    head_dim: int = 128
    max_seq_len: int = 80
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    norm_position: Literal["post", "pre", "sandwich"] = "post"
    positions: Literal["learned", "sinusoidal", "rope", "none"] = "learned"
    rope_theta: float = 10_000.0
    activation: Literal["relu", "gelu", "gelu_tanh", "silu"] = "relu"
    gated: bool = False
    bias: bool = True
    """Biases in the norms and the feed-forward."""
    attention_bias: bool = False
    """Biases of the query, key and value projections (GPT-2 has them, RustGPT and Llama do not)."""
    attention_output: bool = False
    """Project the joined heads by w_o. With one head w_v already does that, and RustGPT has none."""
    output_bias: bool = True
    """Bias of the projection onto the vocabulary."""
    qk_norm: bool = False
    sliding_window: int | None = None
    layer_types: tuple[Literal["full", "sliding"], ...] = ()
    """Kind of attention by layer; empty: full attention in every layer."""
    tie_embeddings: bool = False
    embedding_scale: bool = False
    logit_softcap: float | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.layer_types, list):  # JSON brings a list
            object.__setattr__(self, "layer_types", tuple(self.layer_types))
        _check_numbers(
            self,
            ("vocab_size", "n_layers", "d_model", "d_ff", "n_heads", "n_kv_heads", "head_dim", "max_seq_len"),
            ("rope_theta",),
        )
        for name, values in _FAMILY.items():
            if not _among(getattr(self, name), values):
                raise ConfigError(f"{name} must be one of {_listed(values)}, not {getattr(self, name)!r}")
        if self.max_seq_len < 2:
            raise ConfigError("max_seq_len must be at least 2: one token to read and one to predict")
        if self.n_heads % self.n_kv_heads:
            raise ConfigError(
                f"n_heads ({self.n_heads}) must be a multiple of n_kv_heads ({self.n_kv_heads})"
            )
        if not self.attention_output and self.n_heads * self.head_dim != self.d_model:
            raise ConfigError(
                f"without attention_output, n_heads * head_dim ({self.n_heads} * {self.head_dim}) "
                f"must be d_model ({self.d_model})"
            )
        for name, available in _AVAILABLE.items():
            if not _among(getattr(self, name), available):
                raise UnsupportedConfigError(
                    f"{name}={getattr(self, name)!r} is not available in this version; "
                    f"use {name}={_listed(available)}"
                )
        if self.n_kv_heads != self.n_heads:
            raise UnsupportedConfigError(
                "grouped-query attention is not available in this version; use n_kv_heads = n_heads"
            )


_FAMILY: dict[str, tuple[object, ...]] = {
    "norm": ("layernorm", "rmsnorm"),
    "norm_position": ("post", "pre", "sandwich"),
    "positions": ("learned", "sinusoidal", "rope", "none"),
    "activation": ("relu", "gelu", "gelu_tanh", "silu"),
    "gated": (False, True),
    "bias": (False, True),
    "attention_bias": (False, True),
    "attention_output": (False, True),
    "output_bias": (False, True),
    "qk_norm": (False, True),
    "tie_embeddings": (False, True),
    "embedding_scale": (False, True),
}
"""Values that the fields with a choice can have in the model family."""

_AVAILABLE: dict[str, tuple[object, ...]] = {
    "norm": ("layernorm",),
    "norm_position": ("post",),
    "positions": ("learned",),
    "activation": ("relu",),
    "gated": (False,),
    "bias": (True,),
    "attention_bias": (False,),
    "attention_output": (False,),
    "output_bias": (True,),
    "qk_norm": (False,),
    "sliding_window": (None,),
    "layer_types": ((),),
    "tie_embeddings": (False,),
    "embedding_scale": (False,),
    "logit_softcap": (None,),
    "dropout": (0.0,),
}
"""The part of the family that this version computes."""


def _among(value: object, values: tuple[object, ...]) -> bool:
    """Whether `value` is one of `values`, 1 not being True and 0 not being 0.0."""
    return any(type(value) is type(other) and value == other for other in values)


def _listed(values: tuple[object, ...]) -> str:
    return " or ".join(map(repr, values))


@dataclass(frozen=True)
class TrainConfig:
    """How one phase of training goes. Raises ConfigError for values that make no sense."""

    epochs: int = 100
    lr: float = 0.0005
    clip_norm: float = 5.0
    """Longest gradient (L2 norm over all parameters) that is not scaled down."""
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    sample_every: int = 4
    """Epochs between two answers to the sample prompt."""

    def __post_init__(self) -> None:
        if type(self.epochs) is not int or self.epochs < 0:
            raise ConfigError(f"epochs must be a whole number of at least 0, not {self.epochs!r}")
        _check_numbers(self, ("sample_every",), ("lr", "clip_norm", "eps"))
        for name in ("beta1", "beta2"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value < 1:
                raise ConfigError(f"{name} must be at least 0 and below 1, not {value!r}")


@dataclass(frozen=True)
class Preset:
    """A model and a recipe under one name."""

    name: str
    summary: str
    model: Callable[[int], ModelConfig]
    """Vocabulary size -> shape of the model."""
    pretrain: TrainConfig
    tune: TrainConfig


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="classic",
            summary="RustGPT's model and recipe, with right gradients",
            model=ModelConfig,
            pretrain=TrainConfig(lr=0.0005),
            tune=TrainConfig(lr=0.0001),
        ),
    )
}


def preset(name: str) -> Preset:
    """Look a preset up by name; raise ConfigError with the names there are."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigError(f"no preset is called {name!r}; there are: {', '.join(PRESETS)}") from None
