"""Configs refuse what makes no sense, say why, and survive JSON."""

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, fields
from functools import partial
from typing import Any

import pytest
from config_values import MODEL_NONSENSE, MODEL_OTHERS, MODELS, RECIPES, TRAIN_NONSENSE, TRAIN_OTHERS
from hypothesis import given

from tinychat.config import ModelConfig, TrainConfig
from tinychat.errors import ConfigError, UsageError
from tinychat.presets import PRESETS, preset
from tinychat.records import from_json


def test_every_field_is_tried() -> None:
    assert set(MODEL_NONSENSE) == {field.name for field in fields(ModelConfig)}
    assert set(TRAIN_NONSENSE) == {field.name for field in fields(TrainConfig)}


def refusal(make: Callable[[], object], case: str) -> str:
    try:
        make()
    except ConfigError as error:
        return str(error)
    raise AssertionError(f"{case} was taken")


@pytest.mark.parametrize(
    ("kind", "name"),
    [(ModelConfig, name) for name in MODEL_NONSENSE] + [(TrainConfig, name) for name in TRAIN_NONSENSE],
)
def test_nonsense_is_refused_built_or_read(kind: Any, name: str) -> None:
    needed, nonsense = ({"vocab_size": 10}, MODEL_NONSENSE) if kind is ModelConfig else ({}, TRAIN_NONSENSE)
    for value in nonsense[name]:
        values = {**needed, name: value}
        for make in (partial(kind, **values), partial(from_json, kind, values)):
            told = refusal(make, f"{name}={value!r}")
            assert name in told, value
            assert "\n" not in told, value


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
        ({"layer_types": ("full",) * 4}, "layer_types must have an entry a layer: 3, not 4"),
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
