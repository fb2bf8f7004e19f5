"""Configs refuse what makes no sense, say why, and survive JSON."""

import json
from dataclasses import FrozenInstanceError, asdict, fields
from functools import partial
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.config import ModelConfig, TrainConfig
from tinychat.errors import ConfigError, UsageError
from tinychat.presets import PRESETS, preset
from tinychat.records import from_json

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


def cases(table: dict[str, tuple[object, ...]]) -> list[Any]:
    return [
        pytest.param(name, value, id=f"{name}={value!r}")
        for name, values in table.items()
        for value in values
    ]


def test_every_field_is_tried() -> None:
    assert set(MODEL_NONSENSE) == {field.name for field in fields(ModelConfig)}
    assert set(TRAIN_NONSENSE) == {field.name for field in fields(TrainConfig)}


@pytest.mark.parametrize(("name", "value"), cases(MODEL_NONSENSE))
@pytest.mark.parametrize("make", [ModelConfig, partial(from_json, ModelConfig)], ids=["built", "read"])
def test_a_model_of_nonsense_is_refused(make: Any, name: str, value: object) -> None:
    values = {"vocab_size": 10, name: value}
    with pytest.raises(ConfigError) as caught:
        make(**values) if make is ModelConfig else make(values)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "value"), cases(TRAIN_NONSENSE))
@pytest.mark.parametrize("make", [TrainConfig, partial(from_json, TrainConfig)], ids=["built", "read"])
def test_a_recipe_of_nonsense_is_refused(make: Any, name: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        make(**{name: value}) if make is TrainConfig else make({name: value})
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (ModelConfig, {"vocab_size": 10, "bias": 1}),
        (ModelConfig, {"vocab_size": 10, "gated": 0}),
        (ModelConfig, {"vocab_size": 10, "output_bias": 1.0}),
        (ModelConfig, {"vocab_size": 10, "dropout": False}),
        (TrainConfig, {"beta1": False}),
    ],
    ids=repr,
)
def test_numbers_are_no_flags(kind: Any, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        from_json(kind, values)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"max_seq_len": 1}, "max_seq_len must be at least 2: one token to read and one to predict"),
        (
            {"n_heads": 3, "n_kv_heads": 2, "head_dim": 64, "d_model": 192},
            "n_heads (3) must be a multiple of n_kv_heads (2)",
        ),
        ({"n_heads": 2, "n_kv_heads": 4, "head_dim": 64}, "n_heads (2) must be a multiple of n_kv_heads (4)"),
        (
            {"n_heads": 2, "n_kv_heads": 2, "head_dim": 128},
            "without attention_output, n_heads * head_dim (2 * 128) must be d_model (128)",
        ),
        ({"d_model": 64}, "without attention_output, n_heads * head_dim (1 * 128) must be d_model (64)"),
        ({"head_dim": 64}, "without attention_output, n_heads * head_dim (1 * 64) must be d_model (128)"),
        (
            {"positions": "rope", "head_dim": 5, "d_model": 5},
            "rotary positions turn pairs: head_dim must be even, not 5",
        ),
        (
            {"positions": "sinusoidal", "head_dim": 5, "d_model": 5},
            "sinusoidal positions come in pairs: d_model must be even, not 5",
        ),
        (
            {"layer_types": ("full", "banana", "full")},
            "layer_types must be a list of 'full' or 'sliding', not ('full', 'banana', 'full')",
        ),
        ({"layer_types": "full"}, "layer_types must be a list of 'full' or 'sliding', not 'full'"),
        ({"layer_types": ("full",) * 4}, "layer_types has 4 entries, and the model 3 layers"),
        (
            {"sliding_window": 16},
            "sliding_window and a 'sliding' layer in layer_types need each other",
        ),
        (
            {"sliding_window": 16, "layer_types": ("full",) * 3},
            "sliding_window and a 'sliding' layer in layer_types need each other",
        ),
        (
            {"layer_types": ("full", "sliding", "full")},
            "sliding_window and a 'sliding' layer in layer_types need each other",
        ),
        (
            {"positions": "rope", "rope_local_theta": 1e4},
            "rope_local_theta needs rotary positions and a 'sliding' layer",
        ),
        (
            {"rope_local_theta": 1e4, "sliding_window": 16, "layer_types": ("sliding",) * 3},
            "rope_local_theta needs rotary positions and a 'sliding' layer",
        ),
        ({"norm": "batchnorm"}, "norm must be one of 'layernorm' or 'rmsnorm', not 'batchnorm'"),
        ({"gated": 1}, "gated must be one of False or True, not 1"),
        ({"n_layers": 0}, "n_layers must be a whole number of at least 1, not 0"),
        ({"norm_eps": 0}, "norm_eps must be a number above 0, not 0"),
        ({"logit_softcap": -1.0}, "logit_softcap must be a number above 0, not -1.0"),
        ({"dropout": 1}, "dropout must be at least 0 and below 1, not 1"),
    ],
    ids=repr,
)
def test_contradictions_of_a_model_are_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ModelConfig(**{"vocab_size": 10, **values})
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"weight_decay": 0.1}, "adam has no weight decay of its own; use optimizer adamw"),
        ({"patience": 3}, "patience needs examples to measure on; give validation a share of them"),
        (
            {"schedule": "inverse_sqrt"},
            "an inverse_sqrt schedule falls from the end of a warm-up; give warmup a share",
        ),
        ({"optimizer": "lion"}, "optimizer must be one of 'adam' or 'adamw' or 'sgd' or 'muon', not 'lion'"),
        ({"epochs": -1}, "epochs must be a whole number of at least 0, not -1"),
        ({"warmup": 1.0}, "warmup must be at least 0 and below 1, not 1.0"),
        ({"final_lr": 1.5}, "final_lr must be at least 0 and at most 1, not 1.5"),
    ],
    ids=repr,
)
def test_contradictions_of_a_recipe_are_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig(**values)
    assert str(caught.value) == says


def test_a_config_error_is_a_usage_error() -> None:
    assert issubclass(ConfigError, UsageError)


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


def test_every_field_has_another_value() -> None:
    assert list(MODEL_OTHERS) == [field.name for field in fields(ModelConfig)]
    assert list(TRAIN_OTHERS) == [field.name for field in fields(TrainConfig)]


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        pytest.param(kind, name, values, id=f"{kind.__name__}: {values!r}")
        for kind, table in ((ModelConfig, MODEL_OTHERS), (TrainConfig, TRAIN_OTHERS))
        for name, changes in table.items()
        for values in changes
    ],
)
def test_every_value_is_taken_and_survives_json(kind: Any, name: str, values: dict[str, Any]) -> None:
    needed = {"vocab_size": 10} if kind is ModelConfig else {}
    config = kind(**{**needed, **values})
    assert getattr(config, name) == values[name] != getattr(kind(**needed), name)
    again = from_json(kind, json.loads(json.dumps(asdict(config))))
    assert again == config
    assert hash(again) == hash(config)


def test_a_list_of_layer_types_becomes_a_tuple() -> None:
    config = ModelConfig(vocab_size=10, sliding_window=2, layer_types=["full", "sliding", "full"])  # type: ignore[arg-type]
    assert config.layer_types == ("full", "sliding", "full")
    assert [config.is_sliding(layer) for layer in range(3)] == [False, True, False]
    assert not any(ModelConfig(vocab_size=10).is_sliding(layer) for layer in range(3))


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


@given(MODELS | RECIPES)
def test_configs_survive_json(config: ModelConfig | TrainConfig) -> None:
    again = from_json(type(config), json.loads(json.dumps(asdict(config))))
    assert again == config
    assert hash(again) == hash(config)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (ModelConfig, {"vocab_size": 10, "n_layer": 3}),
        (ModelConfig, {"vocab_size": 10, "": 1}),
        (TrainConfig, {"learning_rate": 0.1}),
        (TrainConfig, {"lr": 0.1, "weight_decays": 0.0}),
    ],
)
def test_unknown_fields_are_refused(kind: Any, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="unknown field") as caught:
        from_json(kind, values)
    assert kind.__name__ in str(caught.value)
    assert list(values)[-1] in str(caught.value)


def test_a_model_needs_a_vocabulary() -> None:
    with pytest.raises(ConfigError, match="vocab_size"):
        from_json(ModelConfig, {})


def test_configs_are_frozen() -> None:
    config = TrainConfig()
    with pytest.raises(FrozenInstanceError):
        config.lr = 1.0  # type: ignore[misc]


def test_a_phase_may_be_left_out_and_a_context_be_short() -> None:
    assert TrainConfig(epochs=0).epochs == 0
    assert TrainConfig(lr=1, beta1=0, beta2=0.0).lr == 1
    assert ModelConfig(vocab_size=1, max_seq_len=2).max_seq_len == 2


def test_classic_is_what_the_documents_of_rustgpt_state() -> None:
    classic = preset("classic")
    model = classic.model_config(1234)
    assert model.vocab_size == 1234
    assert (model.n_layers, model.d_model, model.d_ff, model.max_seq_len) == (3, 128, 256, 80)
    assert (model.n_heads, model.n_kv_heads, model.head_dim) == (1, 1, 128)
    assert (model.norm, model.norm_position) == ("layernorm", "post")
    assert (model.positions, model.activation, model.gated) == ("learned", "relu", False)
    assert (model.dropout, model.tie_embeddings, model.output_bias) == (0.0, False, True)
    assert (classic.pretrain.epochs, classic.tune.epochs) == (100, 100)
    assert (classic.pretrain.lr, classic.tune.lr) == (0.0005, 0.0001)
    for phase in (classic.pretrain, classic.tune):
        assert phase.clip_norm == 5.0
        assert (phase.beta1, phase.beta2, phase.eps) == (0.9, 0.999, 1e-8)


def test_every_preset_is_found_by_its_name() -> None:
    for name, found in PRESETS.items():
        assert preset(name) is found
        assert found.name == name
        assert found.summary
        assert found.model_config(100).vocab_size == 100


@pytest.mark.parametrize("name", ["", "Classic", "nonsense"])
def test_an_unknown_preset_tells_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        preset(name)
    for known in PRESETS:
        assert known in str(caught.value)
