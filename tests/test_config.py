"""Configs refuse what makes no sense, say what this version cannot do, and survive JSON."""

import json
from dataclasses import FrozenInstanceError, asdict, fields
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.config import PRESETS, ModelConfig, TrainConfig, preset
from tinychat.errors import ConfigError, UnsupportedConfigError, UsageError
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
    "rope_theta": NOT_POSITIVE,
    **dict.fromkeys(("norm", "norm_position", "positions", "activation"), NOT_CHOICES),
    **dict.fromkeys(("gated", "bias", "attention_bias", "attention_output", "output_bias"), NOT_FLAGS),
    **dict.fromkeys(("qk_norm", "tie_embeddings", "embedding_scale"), NOT_FLAGS),
    "sliding_window": (0, -1, 1.5, "8"),
    "layer_types": (["banana"], "full", [None], 5, None),
    "logit_softcap": (0, -1.0, nan, "30"),
    "dropout": (-0.1, 1.0, 2, nan, "0", None),
}

TRAIN_NONSENSE: dict[str, tuple[object, ...]] = {
    "epochs": (-1, 1.5, 100.0, "3", None, True),
    "sample_every": NOT_COUNTS,
    **dict.fromkeys(("lr", "clip_norm", "eps"), NOT_POSITIVE),
    **dict.fromkeys(("beta1", "beta2"), (-0.1, 1, 1.0, 1.5, inf, nan, "0.9", None, [])),
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
def test_a_model_of_nonsense_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        from_json(ModelConfig, {"vocab_size": 10, name: value})
    if name not in (
        "sliding_window",
        "layer_types",
        "logit_softcap",
        "dropout",
    ):  # no value of these is known
        assert not isinstance(caught.value, UnsupportedConfigError)
        assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "value"), cases(TRAIN_NONSENSE))
def test_a_recipe_of_nonsense_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        from_json(TrainConfig, {name: value})
    assert not isinstance(caught.value, UnsupportedConfigError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TrainConfig, {"beta1": None}),
        (TrainConfig, {"beta2": "0.999"}),
        (ModelConfig, {"vocab_size": 10, "layer_types": None}),
    ],
    ids=repr,
)
def test_nonsense_is_refused_at_construction_too(kind: Any, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        kind(**values)


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
    "values",
    [
        {"n_heads": 3, "n_kv_heads": 2, "head_dim": 64, "d_model": 192},
        {"n_heads": 2, "n_kv_heads": 4, "head_dim": 64},
        {"n_heads": 2, "n_kv_heads": 2, "head_dim": 128},
        {"d_model": 64},
        {"head_dim": 64},
    ],
    ids=repr,
)
def test_contradictions_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"n_heads") as caught:
        ModelConfig(vocab_size=10, **values)
    assert not isinstance(caught.value, UnsupportedConfigError)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("norm", {"norm": "rmsnorm"}),
        ("norm_position", {"norm_position": "pre"}),
        ("norm_position", {"norm_position": "sandwich"}),
        ("positions", {"positions": "sinusoidal"}),
        ("positions", {"positions": "rope"}),
        ("positions", {"positions": "none"}),
        ("activation", {"activation": "gelu"}),
        ("activation", {"activation": "gelu_tanh"}),
        ("activation", {"activation": "silu"}),
        ("gated", {"gated": True}),
        ("bias", {"bias": False}),
        ("attention_bias", {"attention_bias": True}),
        ("attention_output", {"attention_output": True}),
        ("attention_output", {"attention_output": True, "n_heads": 4, "n_kv_heads": 4, "head_dim": 64}),
        ("output_bias", {"output_bias": False}),
        ("qk_norm", {"qk_norm": True}),
        ("sliding_window", {"sliding_window": 16}),
        ("layer_types", {"layer_types": ("full", "sliding", "full")}),
        ("tie_embeddings", {"tie_embeddings": True}),
        ("embedding_scale", {"embedding_scale": True}),
        ("logit_softcap", {"logit_softcap": 30.0}),
        ("dropout", {"dropout": 0.1}),
        ("n_kv_heads", {"n_heads": 4, "n_kv_heads": 2, "head_dim": 32}),
    ],
    ids=repr,
)
def test_what_the_family_knows_and_this_version_does_not_is_named(name: str, values: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedConfigError) as caught:
        ModelConfig(vocab_size=10, **values)
    assert name in str(caught.value)


def test_a_config_error_is_a_usage_error() -> None:
    assert issubclass(UnsupportedConfigError, ConfigError)
    assert issubclass(ConfigError, UsageError)


COUNTS = st.integers(1, 10**6)
POSITIVE = st.floats(0, exclude_min=True, allow_infinity=False) | COUNTS
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
        rope_theta=POSITIVE,
    )
)
BETAS = st.floats(0, 1, exclude_max=True)
RECIPES = st.builds(
    TrainConfig,
    epochs=st.integers(0, 10**6),
    lr=POSITIVE,
    clip_norm=POSITIVE,
    beta1=BETAS,
    beta2=BETAS,
    eps=POSITIVE,
    sample_every=COUNTS,
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
        (TrainConfig, {"lr": 0.1, "weight_decay": 0.0}),
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
    model = classic.model(1234)
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
        assert found.model(100).vocab_size == 100


@pytest.mark.parametrize("name", ["", "Classic", "nonsense"])
def test_an_unknown_preset_tells_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        preset(name)
    for known in PRESETS:
        assert known in str(caught.value)
