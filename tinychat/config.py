"""What a model and a training run look like: frozen dataclasses that validate themselves."""

from dataclasses import dataclass
from typing import Literal

from tinychat.errors import ConfigError

TOKENIZERS = ("word", "char", "bpe")

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


def _check_share(config: object, name: str, below: bool = True) -> None:
    value = getattr(config, name)
    if type(value) not in (int, float) or not 0 <= value <= 1 or (below and value == 1):
        raise ConfigError(f"{name} must be at least 0 and {'below' if below else 'at most'} 1, not {value!r}")


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a transformer. The defaults are the `classic` model; only the vocabulary must be given.

    One config spans the whole model family (GPT-2, Llama and Gemma 3 are values of it).
    Contradictions, and values that would have no effect, raise ConfigError.
    """

    vocab_size: int
    n_layers: int = 3
    d_model: int = 128
    d_ff: int = 256
    n_heads: int = 1
    n_kv_heads: int = 1
    """Heads of keys and values; each serves n_heads / n_kv_heads heads of queries."""
    head_dim: int = 128
    max_seq_len: int = 80
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    norm_position: Literal["post", "pre", "sandwich"] = "post"
    norm_eps: float = 1e-5
    positions: Literal["learned", "sinusoidal", "rope", "none"] = "learned"
    rope_theta: float = 10_000.0
    rope_local_theta: float | None = None
    """Of the sliding layers, if they have one of their own (Gemma 3)."""
    activation: Literal["relu", "gelu", "gelu_tanh", "silu"] = "relu"
    gated: bool = False
    bias: bool = True
    """Biases in layer norms, in the feed-forward and behind w_o."""
    attention_bias: bool = False
    """Biases of the query, key and value projections (GPT-2 has them, RustGPT and Llama do not)."""
    attention_output: bool = False
    """Project the joined heads by w_o. With one head w_v already does that, and RustGPT has none."""
    output_bias: bool = True
    """Bias of the projection onto the vocabulary."""
    qk_norm: bool = False
    """Normalise every query and key before they meet."""
    sliding_window: int | None = None
    """Places that a sliding layer looks at: its own and those just before."""
    layer_types: tuple[Literal["full", "sliding"], ...] = ()
    """Kind of attention by layer; empty: full attention in every layer."""
    tie_embeddings: bool = False
    """Let the token embedding serve as output projection too."""
    embedding_scale: bool = False
    """Multiply the token embedding by sqrt(d_model)."""
    logit_softcap: float | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.layer_types, list):  # JSON brings a list
            object.__setattr__(self, "layer_types", tuple(self.layer_types))
        _check_numbers(
            self,
            ("vocab_size", "n_layers", "d_model", "d_ff", "n_heads", "n_kv_heads", "head_dim", "max_seq_len"),
            ("norm_eps", "rope_theta"),
        )
        for name, values in _CHOICES.items():
            if not _among(getattr(self, name), values):
                raise ConfigError(f"{name} must be one of {_listed(values)}, not {getattr(self, name)!r}")
        for name in ("rope_local_theta", "logit_softcap"):
            if getattr(self, name) is not None:
                _check_numbers(self, (), (name,))
        if type(self.dropout) not in (int, float) or not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout must be at least 0 and below 1, not {self.dropout!r}")
        if self.max_seq_len < 2:
            raise ConfigError("max_seq_len must be at least 2: one token to read and one to predict")
        self._check_heads()
        self._check_layer_types()

    def _check_heads(self) -> None:
        if self.n_heads % self.n_kv_heads:
            raise ConfigError(
                f"n_heads ({self.n_heads}) must be a multiple of n_kv_heads ({self.n_kv_heads})"
            )
        if not self.attention_output and self.n_heads * self.head_dim != self.d_model:
            raise ConfigError(
                f"without attention_output, n_heads * head_dim ({self.n_heads} * {self.head_dim}) "
                f"must be d_model ({self.d_model})"
            )
        if self.positions == "rope" and self.head_dim % 2:
            raise ConfigError(f"rotary positions turn pairs: head_dim must be even, not {self.head_dim}")
        if self.positions == "sinusoidal" and self.d_model % 2:
            raise ConfigError(f"sinusoidal positions come in pairs: d_model must be even, not {self.d_model}")

    def _check_layer_types(self) -> None:
        kinds = self.layer_types
        if not isinstance(kinds, tuple) or any(kind not in ("full", "sliding") for kind in kinds):
            raise ConfigError(f"layer_types must be a list of 'full' or 'sliding', not {kinds!r}")
        if kinds and len(kinds) != self.n_layers:
            raise ConfigError(f"layer_types must have an entry a layer: {self.n_layers}, not {len(kinds)}")
        if self.sliding_window is not None:
            _check_numbers(self, ("sliding_window",), ())
        if (self.sliding_window is not None) != ("sliding" in kinds):
            raise ConfigError("sliding_window and a 'sliding' layer in layer_types need each other")
        if self.rope_local_theta is not None and ("sliding" not in kinds or self.positions != "rope"):
            raise ConfigError("rope_local_theta needs rotary positions and a 'sliding' layer")

    def is_sliding(self, layer: int) -> bool:
        return bool(self.layer_types) and self.layer_types[layer] == "sliding"


_CHOICES: dict[str, tuple[object, ...]] = {
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
"""Values of the fields with a choice."""


def _among(value: object, values: tuple[object, ...]) -> bool:
    """Whether `value` is one of `values`, 1 not being True and 0 not being 0.0."""
    return any(type(value) is type(other) and value == other for other in values)


def _listed(values: tuple[object, ...]) -> str:
    return " or ".join(map(repr, values))


@dataclass(frozen=True)
class TrainConfig:
    """How one phase of training goes. Raises ConfigError for values that make no sense."""

    epochs: int = 100
    """Passes over the examples."""
    min_updates: int = 0
    """Updates that a phase has at least: a new model gets as many epochs more as a small corpus needs."""
    lr: float = 0.0005
    """The learning rate at its height."""
    schedule: Literal["constant", "cosine", "linear", "inverse_sqrt"] = "constant"
    """How the learning rate falls after the warm-up."""
    warmup: float = 0.0
    """Share of the phase in which the learning rate rises from 0."""
    final_lr: float = 0.0
    """Share of the learning rate that is left at the end of a cosine or linear schedule."""
    windows: int = 0
    """Stretches as long as the context that an epoch of pre-training draws from the running text, line breaks
    and all; 0: it goes through the sentences, one by one."""
    batch_size: int = 1
    """Most examples in a batch."""
    accumulate: int = 1
    """Batches whose gradients are put together in one update."""
    workers: int = 1
    """Processes that each take a part of a batch, or of the work for one example."""
    mask_prompt: bool = False
    """Whether only the answers of dialogues count in the loss, not the questions."""
    optimizer: Literal["adam", "adamw", "sgd", "muon"] = "adam"
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    momentum: float = 0.9
    """Of sgd and muon."""
    hidden_lr: float = 1.0
    """Of muon: the learning rate of hidden matrices, as a share of that of all other parameters."""
    weight_decay: float = 0.0
    """Of matrices, by adamw, sgd and muon: the part of a weight that an update at learning rate 1 takes."""
    clip_norm: float = 5.0
    """Longest gradient (L2 norm over all parameters) that is not scaled down."""
    ema_decay: float = 0.0
    """Of the exponential moving average that the weights become at the end of the phase; 0: none is kept."""
    validation: float = 0.0
    """Share of the examples (of a running text, its end) that is held out and measured after every epoch; the
    best weights are kept."""
    patience: int = 0
    """Epochs in a row without a better held-out loss after which the phase ends early; 0: it never does."""
    noise_from: int = 1
    """Dialogues that end with the same answer from which on what follows here may happen to them: a question
    that stands alone has nothing but its own words to tell it from others."""
    typos: float = 0.0
    """Share of the words of questions that are misspelt, anew in every epoch."""
    careless: float = 0.0
    """Share of the questions without capitals and the mark at the end, anew in every epoch."""
    unanswerable: float = 0.0
    """Share of the questions whose telling words are replaced by made-up ones, and the answer by a
    don't-know, anew in every epoch; of no effect on a corpus without don't-knows."""
    cut_answers: float = 0.0
    """Share of the answers of which the beginning alone is learnt, anew in every epoch: it tells whether
    the question was understood, and the rest is learnt often enough. Takes effect with mask_prompt."""
    joined: float = 0.0
    """Share of the dialogues that are put together in pairs, as if one had followed upon the other."""
    sample_every: int = 4
    """Epochs between two answers to the sample prompt."""

    def __post_init__(self) -> None:
        for name in ("epochs", "min_updates", "windows", "patience"):
            value = getattr(self, name)
            if type(value) is not int or value < 0:
                raise ConfigError(f"{name} must be a whole number of at least 0, not {value!r}")
        counts = ("sample_every", "batch_size", "accumulate", "workers", "noise_from")
        _check_numbers(self, counts, ("lr", "hidden_lr", "clip_norm", "eps"))
        for name in ("schedule", "optimizer", "mask_prompt"):
            if not _among(getattr(self, name), _TRAIN_CHOICES[name]):
                values = _listed(_TRAIN_CHOICES[name])
                raise ConfigError(f"{name} must be one of {values}, not {getattr(self, name)!r}")
        for name in ("beta1", "beta2", "momentum", "weight_decay", "ema_decay", "validation", "warmup"):
            _check_share(self, name)
        for name in ("final_lr", "typos", "careless", "unanswerable", "cut_answers", "joined"):
            _check_share(self, name, below=False)
        if self.weight_decay and self.optimizer == "adam":
            raise ConfigError("adam has no weight decay of its own; use optimizer adamw")
        if self.patience and not self.validation:
            raise ConfigError("patience needs examples to measure on; give validation a share of them")
        if self.schedule == "inverse_sqrt" and not self.warmup:
            raise ConfigError("an inverse_sqrt schedule falls from the end of a warm-up; give warmup a share")


_TRAIN_CHOICES: dict[str, tuple[object, ...]] = {
    "schedule": ("constant", "cosine", "linear", "inverse_sqrt"),
    "optimizer": ("adam", "adamw", "sgd", "muon"),
    "mask_prompt": (False, True),
}
