"""Presets, and the names of their values."""

from dataclasses import fields, replace

import pytest

from tinychat.config import ModelConfig, TrainConfig
from tinychat.errors import ConfigError
from tinychat.presets import MODEL_FIELDS, PRESETS, RECIPE_FIELDS, TRAIN_FIELDS, preset

CLASSIC = PRESETS["classic"]
MODERN = PRESETS["modern"]


# Presets


def test_a_preset_is_found_by_its_name() -> None:
    assert {name: found.name for name, found in PRESETS.items()} == {name: name for name in PRESETS}
    assert {"classic", "modern"} <= set(PRESETS)
    assert all(preset(name) is PRESETS[name] for name in PRESETS)
    assert len({found.summary for found in PRESETS.values()}) == len(PRESETS)


def test_an_unknown_preset_tells_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        preset("baroque")
    assert all(name in str(caught.value) for name in ("baroque", *PRESETS))


def test_classic_is_the_defaults_of_the_configs() -> None:
    assert CLASSIC.model_config(50) == ModelConfig(vocab_size=50)
    assert CLASSIC.tokenizer == "word"
    assert CLASSIC.pretrain == TrainConfig(epochs=100, lr=0.0005, workers=2)
    assert CLASSIC.tune == TrainConfig(epochs=100, lr=0.0001, workers=2)


def test_modern_is_of_today() -> None:
    config = MODERN.model_config(50)
    assert (config.norm, config.norm_position, config.positions) == ("rmsnorm", "pre", "rope")
    assert (config.activation, config.gated, config.tie_embeddings) == ("silu", True, True)
    assert config.n_kv_heads < config.n_heads
    assert not config.bias
    assert MODERN.tune.mask_prompt
    assert {MODERN.pretrain.optimizer, MODERN.tune.optimizer} == {"muon"}


@pytest.mark.parametrize("name", PRESETS)
def test_the_vocabulary_is_the_only_thing_a_preset_leaves_open(name: str) -> None:
    small, large = PRESETS[name].model_config(2), PRESETS[name].model_config(9000)
    assert large == replace(small, vocab_size=9000)


# Names


def test_a_recipe_has_a_name_for_every_field() -> None:
    model = {field.name for field in fields(ModelConfig)} - {"vocab_size"}
    train = {field.name for field in fields(TrainConfig)}
    assert set(MODEL_FIELDS) == model
    assert set(TRAIN_FIELDS) == train
    phases = {f"{phase}_{name}" for phase in ("pretrain", "tune") for name in train}
    assert set(RECIPE_FIELDS) == {"tokenizer", "vocab_size"} | model | train | phases
    assert len(RECIPE_FIELDS) == len(set(RECIPE_FIELDS))


@pytest.mark.parametrize("name", ["epoch", "name", "model", "summary", "tune", "tune_d_model", "pretrain_"])
def test_an_unknown_name_is_refused_and_told(name: str) -> None:
    with pytest.raises(ConfigError, match=repr(name)):
        CLASSIC.changed({"lr": 0.1, name: 1})
