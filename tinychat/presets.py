"""Models and recipes under a name, and how single values of them are changed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from tinychat.config import TOKENIZERS, ModelConfig, TrainConfig
from tinychat.errors import ConfigError
from tinychat.records import from_json

PHASES = PRETRAIN, TUNE = "pretrain", "tune"
PHASE_TITLES = {PRETRAIN: "Pre-training", TUNE: "Instruction tuning"}
MODEL_FIELDS = tuple(field.name for field in fields(ModelConfig) if field.name != "vocab_size")
TRAIN_FIELDS = tuple(field.name for field in fields(TrainConfig))
RECIPE_FIELDS = (
    "tokenizer",
    "vocab_size",
    *MODEL_FIELDS,
    *TRAIN_FIELDS,
    *(f"{phase}_{name}" for phase in PHASES for name in TRAIN_FIELDS),
)
"""Names by which a value of a preset is changed: those of the flags and of the keys in a TOML file."""


@dataclass(frozen=True)
class Preset:
    """A model and a recipe: all that a new model is made from but the corpus and the seed."""

    name: str
    summary: str
    pretrain: TrainConfig
    tune: TrainConfig
    model: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ModelConfig that differ from its defaults."""
    tokenizer: str = "word"
    vocab_size: int = 4096
    """Most tokens of a `bpe`; the corpus alone decides how many a `word` or `char` has."""

    def model_config(self, vocab_size: int) -> ModelConfig:
        """Shape of the model for a tokenizer with so many tokens."""
        return ModelConfig(vocab_size=vocab_size, **self.model)

    def changed(self, changes: Mapping[str, Any]) -> "Preset":
        """With other values for some of RECIPE_FIELDS; raise ConfigError for what makes no sense.

        A field of TrainConfig alone, as `lr`, is meant for both phases; `tune_lr` goes before `lr`. Where the
        number of heads or the width is changed, the width of a head follows, unless it is given too; and
        where every head had its own keys and values, it has so again.
        """
        if unknown := sorted(changes.keys() - set(RECIPE_FIELDS)):
            raise ConfigError(f"no part of a recipe is called {unknown[0]!r}")
        tokenizer = changes.get("tokenizer", self.tokenizer)
        if tokenizer not in TOKENIZERS:
            raise ConfigError(f"no tokenizer is called {tokenizer!r}; there are: {', '.join(TOKENIZERS)}")
        if "vocab_size" in changes and tokenizer != "bpe":
            raise ConfigError(
                f"the corpus decides the size of a {tokenizer} vocabulary; leave out vocab_size, "
                "or take the tokenizer bpe"
            )
        return replace(
            self,
            model=self._changed_model(changes),
            pretrain=_changed_phase("pretrain", self.pretrain, changes),
            tune=_changed_phase("tune", self.tune, changes),
            tokenizer=tokenizer,
            vocab_size=changes.get("vocab_size", self.vocab_size),
        )

    def _changed_model(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        own = self.model_config(2)
        model = asdict(own) | {name: changes[name] for name in MODEL_FIELDS if name in changes}
        if "n_heads" in changes and "n_kv_heads" not in changes and own.n_heads == own.n_kv_heads:
            model["n_kv_heads"] = changes["n_heads"]
        width, n_heads = model["d_model"], model["n_heads"]
        are_whole = type(width) is type(n_heads) is int  # if not, from_json says so
        if are_whole and {"n_heads", "d_model"} & changes.keys() and "head_dim" not in changes:
            model["head_dim"] = max(1, width // max(1, n_heads))
        from_json(ModelConfig, model)
        del model["vocab_size"]
        return model


def changes_over(above: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a recipe of which some go before others: flags before what a file says.

    Of those below nothing stays that follows from one above, as from a change of a preset: the width of a
    head, heads of keys and values where each head has its own, the least number of updates.
    """
    kept = {
        name: value
        for name, value in below.items()
        if name not in above and name.removeprefix("pretrain_").removeprefix("tune_") not in above
    }
    if {"n_heads", "d_model"} & above.keys():
        kept.pop("head_dim", None)
    if "n_heads" in above and "n_kv_heads" in kept and kept["n_kv_heads"] == below.get("n_heads"):
        kept["n_kv_heads"] = above["n_heads"]
    if above.get("tokenizer", "bpe") != "bpe":
        kept.pop("vocab_size", None)
    for phase in PHASES:
        least = {"min_updates", f"{phase}_min_updates"}
        if {"epochs", f"{phase}_epochs"} & above.keys() and least & kept.keys() and not least & above.keys():
            kept[f"{phase}_min_updates"] = 0
    return kept | dict(above)


def _changed_phase(phase: str, config: TrainConfig, changes: Mapping[str, Any]) -> TrainConfig:
    both = {name: changes[name] for name in TRAIN_FIELDS if name in changes}
    own = {name: changes[f"{phase}_{name}"] for name in TRAIN_FIELDS if f"{phase}_{name}" in changes}
    enough = {"min_updates": 0} if "epochs" in both | own else {}  # who names a number of epochs gets it
    return from_json(TrainConfig, asdict(config) | enough | both | own)


_MODERN: dict[str, Any] = {
    "optimizer": "muon",
    "momentum": 0.95,
    "hidden_lr": 0.35,
    "beta2": 0.99,
    "weight_decay": 0.1,
    "clip_norm": 1.0,
    "batch_size": 64,
    "workers": 2,
}
"""Of both phases of `modern`."""

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="classic",
            summary="RustGPT's model and recipe, with right gradients",
            pretrain=TrainConfig(lr=0.0005, workers=2),
            tune=TrainConfig(lr=0.0001, workers=2),
        ),
        Preset(
            name="modern",
            summary="a small model of today's kind, which answers what was never worded that way",
            pretrain=TrainConfig(**_MODERN, epochs=3, lr=0.03, warmup=0.1),
            tune=TrainConfig(
                **_MODERN,
                epochs=9,
                min_updates=48,
                lr=0.04,
                schedule="linear",
                warmup=0.03,
                mask_prompt=True,
                noise_from=10,
                typos=0.03,
                unanswerable=0.06,
                careless=0.3,
                cut_answers=1.0,
                joined=0.5,
                ema_decay=0.98,
                sample_every=4,
            ),
            model={
                "n_layers": 2,
                "d_model": 96,
                "d_ff": 192,
                "n_heads": 4,
                "n_kv_heads": 2,
                "head_dim": 24,
                "max_seq_len": 96,
                "norm": "rmsnorm",
                "norm_position": "pre",
                "positions": "rope",
                "activation": "silu",
                "gated": True,
                "bias": False,
                "attention_output": True,
                "output_bias": False,
                "tie_embeddings": True,
            },
        ),
    )
}


def preset(name: str) -> Preset:
    """Look a preset up by name; raise ConfigError with the names there are."""
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigError(f"no preset is called {name!r}; there are: {', '.join(PRESETS)}") from None
