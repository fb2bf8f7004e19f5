"""Changes of a recipe: each is that change alone, and what follows from it."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.errors import ConfigError
from tinychat.presets import PHASES, PRESETS, TRAIN_FIELDS, Preset, changes_over, preset

CLASSIC = PRESETS["classic"]
MODERN = PRESETS["modern"]


def shape(recipe: Preset) -> dict[str, Any]:
    return asdict(recipe.model_config(50))


@pytest.mark.parametrize("name", PRESETS)
def test_no_change_is_the_same_recipe(name: str) -> None:
    found = PRESETS[name].changed({})
    assert (found.pretrain, found.tune) == (PRESETS[name].pretrain, PRESETS[name].tune)
    assert found.model_config(50) == PRESETS[name].model_config(50)
    assert (found.name, found.tokenizer, found.vocab_size) == (name, "word", PRESETS[name].vocab_size)


MODEL_CHANGES = {
    "n_layers": 5,
    "d_ff": 7,
    "max_seq_len": 9,
    "norm": "rmsnorm",
    "norm_position": "sandwich",
    "norm_eps": 0.5,
    "positions": "none",
    "rope_theta": 2.0,
    "activation": "gelu",
    "gated": True,
    "bias": False,
    "attention_bias": True,
    "attention_output": True,
    "output_bias": False,
    "qk_norm": True,
    "tie_embeddings": True,
    "embedding_scale": True,
    "logit_softcap": 30.0,
    "dropout": 0.25,
}


@pytest.mark.parametrize("name", MODEL_CHANGES)
def test_a_change_of_the_model_is_that_change_alone(name: str) -> None:
    value = MODEL_CHANGES[name]
    assert shape(CLASSIC)[name] != value
    changed = CLASSIC.changed({name: value})
    assert shape(changed) == shape(CLASSIC) | {name: value}
    assert (changed.pretrain, changed.tune) == (CLASSIC.pretrain, CLASSIC.tune)


def test_changes_that_need_each_other_come_together() -> None:
    kinds = ("sliding", "full", "sliding")
    sliding = {"sliding_window": 8, "layer_types": kinds, "positions": "rope", "rope_local_theta": 100.0}
    assert shape(CLASSIC.changed(sliding)) == shape(CLASSIC) | sliding
    with pytest.raises(ConfigError, match="need each other"):
        CLASSIC.changed({"sliding_window": 8})


def test_a_list_of_layer_types_is_as_good_as_a_tuple() -> None:
    kinds = ["full", "full", "full"]
    assert CLASSIC.changed({"layer_types": kinds}).model_config(50).layer_types == tuple(kinds)


TRAIN_CHANGES = {
    "epochs": 3,
    "lr": 0.02,
    "schedule": "cosine",
    "warmup": 0.5,
    "final_lr": 0.125,
    "min_updates": 7,
    "windows": 5,
    "batch_size": 3,
    "accumulate": 2,
    "workers": 4,
    "mask_prompt": True,
    "optimizer": "sgd",
    "beta1": 0.5,
    "beta2": 0.25,
    "eps": 0.125,
    "momentum": 0.75,
    "hidden_lr": 0.5,
    "clip_norm": 1.5,
    "ema_decay": 0.5,
    "validation": 0.25,
    "noise_from": 3,
    "typos": 0.5,
    "careless": 0.5,
    "unanswerable": 0.5,
    "cut_answers": 0.5,
    "joined": 0.5,
    "sample_every": 9,
}


def test_every_field_of_training_is_tried_here() -> None:
    needing_another = {"weight_decay", "patience"}
    assert TRAIN_CHANGES.keys() | needing_another == set(TRAIN_FIELDS)


@pytest.mark.parametrize("name", TRAIN_CHANGES)
def test_a_change_of_training_is_for_both_phases_or_for_one(name: str) -> None:
    value: Any = TRAIN_CHANGES[name]
    pretrain = replace(CLASSIC.pretrain, **{name: value})
    tune = replace(CLASSIC.tune, **{name: value})
    assert pretrain != CLASSIC.pretrain
    both = CLASSIC.changed({name: value})
    assert (both.pretrain, both.tune) == (pretrain, tune)
    first = CLASSIC.changed({f"pretrain_{name}": value})
    assert (first.pretrain, first.tune) == (pretrain, CLASSIC.tune)
    second = CLASSIC.changed({f"tune_{name}": value})
    assert (second.pretrain, second.tune) == (CLASSIC.pretrain, tune)
    assert both.model_config(50) == CLASSIC.model_config(50)


@given(st.sampled_from(PHASES), st.booleans())
def test_the_value_of_one_phase_goes_before_that_of_both(phase: str, reverse: bool) -> None:
    changes = {"lr": 0.5, f"{phase}_lr": 0.25}
    changed = CLASSIC.changed(dict(sorted(changes.items(), reverse=reverse)))
    assert {name: getattr(changed, name).lr for name in PHASES} == {"pretrain": 0.5, "tune": 0.5} | {
        phase: 0.25
    }


def test_the_tokenizer_and_its_size() -> None:
    changed = CLASSIC.changed({"tokenizer": "bpe", "vocab_size": 300})
    assert (changed.tokenizer, changed.vocab_size) == ("bpe", 300)
    assert changed.model_config(50) == CLASSIC.model_config(50)
    assert changed.changed({"tokenizer": "word"}).tokenizer == "word"
    for kind in ("word", "char"):
        with pytest.raises(ConfigError, match=f"size of a {kind} vocabulary; leave out vocab_size"):
            changed.changed({"tokenizer": kind, "vocab_size": 300})
    with pytest.raises(ConfigError, match="leave out vocab_size"):
        CLASSIC.changed({"vocab_size": 300})
    with pytest.raises(ConfigError, match=r"'morse'.*word, char, bpe"):
        CLASSIC.changed({"tokenizer": "morse"})


@given(st.sampled_from([1, 2, 4, 8]), st.integers(1, 16))
def test_the_width_of_a_head_follows_heads_and_width(n_heads: int, size: int) -> None:
    config = CLASSIC.changed({"n_heads": n_heads, "d_model": n_heads * size}).model_config(50)
    assert (config.head_dim, config.n_kv_heads) == (size, n_heads)
    one_head = CLASSIC.changed({"d_model": size}).model_config(50)
    assert (one_head.head_dim, one_head.n_heads) == (size, 1)
    same_width = CLASSIC.changed({"n_heads": n_heads}).model_config(50)
    assert (same_width.head_dim, same_width.n_kv_heads) == (128 // n_heads, n_heads)


def test_what_is_given_does_not_follow() -> None:
    given_too = {"n_heads": 4, "head_dim": 16, "n_kv_heads": 2, "attention_output": True}
    assert shape(CLASSIC.changed(given_too)) == shape(CLASSIC) | given_too


def test_shared_keys_and_values_stay_shared() -> None:
    assert MODERN.changed({"n_heads": 8}).model_config(50).n_kv_heads == 2
    assert MODERN.changed({"n_heads": 8}).model_config(50).head_dim == 96 // 8
    with pytest.raises(ConfigError, match="multiple of n_kv_heads"):
        MODERN.changed({"n_heads": 3})


def test_changes_add_up() -> None:
    twice = CLASSIC.changed({"n_heads": 4, "tune_lr": 0.5}).changed({"d_model": 64, "lr": 0.25})
    once = CLASSIC.changed({"n_heads": 4, "d_model": 64, "lr": 0.25})
    assert twice == once


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"n_layers": 0}, "n_layers", id="too few"),
        pytest.param({"n_layers": 2.0}, "n_layers", id="no whole number"),
        pytest.param({"n_heads": "4"}, "n_heads", id="a text for a number"),
        pytest.param({"n_heads": None}, "n_heads", id="nothing for a number"),
        pytest.param({"n_heads": 0}, "n_heads", id="no heads"),
        pytest.param({"n_heads": 3}, "n_heads", id="heads that do not share the width"),
        pytest.param({"d_model": "wide"}, "d_model", id="a text for a width"),
        pytest.param({"d_model": -8}, "d_model", id="a negative width"),
        pytest.param({"norm": "batchnorm"}, "norm", id="an unknown choice"),
        pytest.param({"gated": 1}, "gated", id="a number for a switch"),
        pytest.param({"layer_types": "full"}, "layer_types", id="a text for a list"),
        pytest.param({"layer_types": ["full"]}, "layer_types", id="a list too short"),
        pytest.param({"dropout": 1.0}, "dropout", id="all dropped"),
        pytest.param({"epochs": True}, "epochs", id="a switch for a number"),
        pytest.param({"tune_epochs": -1}, "epochs", id="fewer than no epochs"),
        pytest.param({"lr": 0}, "lr", id="no learning"),
        pytest.param({"lr": float("nan")}, "lr", id="not a number"),
        pytest.param({"pretrain_lr": float("inf")}, "lr", id="without end"),
        pytest.param({"weight_decay": 0.1}, "adamw", id="a decay that adam has not"),
        pytest.param({"tune_patience": 3}, "validation", id="patience without examples"),
        pytest.param({"tokenizer": None}, "tokenizer", id="no tokenizer"),
    ],
)
def test_what_makes_no_sense_is_a_config_error(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        CLASSIC.changed(changes)


def test_a_preset_is_never_changed_itself() -> None:
    before = (CLASSIC.pretrain, CLASSIC.tune, dict(CLASSIC.model))
    CLASSIC.changed({"n_heads": 4, "lr": 0.5})
    assert (CLASSIC.pretrain, CLASSIC.tune, dict(CLASSIC.model)) == before


def test_who_names_a_number_of_epochs_gets_it() -> None:
    least = preset("classic").changed({"min_updates": 500})
    assert (least.pretrain.min_updates, least.tune.min_updates) == (500, 500)
    named = least.changed({"tune_epochs": 3})
    assert (named.pretrain.min_updates, named.tune.min_updates) == (500, 0)
    assert least.changed({"epochs": 3, "min_updates": 9}).tune.min_updates == 9


# Changes over changes


@pytest.mark.parametrize(
    ("above", "below", "wanted"),
    [
        ({}, {"lr": 0.1, "n_heads": 2}, {"lr": 0.1, "n_heads": 2}),
        ({"lr": 0.5}, {"lr": 0.1, "tune_lr": 0.2, "pretrain_eps": 1.0}, {"lr": 0.5, "pretrain_eps": 1.0}),
        ({"tune_lr": 0.5}, {"lr": 0.1}, {"lr": 0.1, "tune_lr": 0.5}),
        ({"n_heads": 8}, {"head_dim": 24, "d_ff": 5}, {"n_heads": 8, "d_ff": 5}),
        ({"d_model": 48}, {"head_dim": 24, "n_heads": 4}, {"d_model": 48, "n_heads": 4}),
        ({"n_heads": 8, "head_dim": 3}, {"head_dim": 24}, {"n_heads": 8, "head_dim": 3}),
        ({"n_heads": 8}, {"n_heads": 4, "n_kv_heads": 4}, {"n_heads": 8, "n_kv_heads": 8}),
        ({"n_heads": 8}, {"n_heads": 4, "n_kv_heads": 2}, {"n_heads": 8, "n_kv_heads": 2}),
        ({"n_heads": 8}, {"n_kv_heads": 2}, {"n_heads": 8, "n_kv_heads": 2}),
        ({"tokenizer": "word"}, {"tokenizer": "bpe", "vocab_size": 300}, {"tokenizer": "word"}),
        (
            {"vocab_size": 400},
            {"tokenizer": "bpe", "vocab_size": 300},
            {"tokenizer": "bpe", "vocab_size": 400},
        ),
        (
            {"tune_epochs": 3},
            {"min_updates": 48, "epochs": 9},
            {"min_updates": 48, "epochs": 9, "tune_epochs": 3, "tune_min_updates": 0},
        ),
        (
            {"epochs": 3},
            {"tune_min_updates": 48, "tune_epochs": 9},
            {"epochs": 3, "tune_min_updates": 0},
        ),
        ({"epochs": 3, "min_updates": 7}, {"min_updates": 48}, {"epochs": 3, "min_updates": 7}),
    ],
)
def test_of_changes_below_nothing_stays_that_follows_from_those_above(
    above: dict[str, Any], below: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert changes_over(above, below) == wanted
