"""A recipe that was written to a file is the same when it is read again."""

import os
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipe_files import assert_same, read_again, train

import tinychat
from tinychat.cli import main
from tinychat.config import TrainConfig
from tinychat.config_file import to_toml
from tinychat.presets import PRESETS
from tinychat.weights import load

pytestmark = pytest.mark.usefixtures("beside_facts")

# Writing


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_read_again_as_it_was(name: str, tmp_path: Path) -> None:
    text = to_toml(PRESETS[name], {})
    assert tomllib.loads(text)["preset"] == name
    assert_same(read_again(text, tmp_path / "r.toml"), PRESETS[name])


@pytest.mark.parametrize("name", PRESETS)
def test_all_values_stand_in_the_file(name: str, tmp_path: Path) -> None:
    """So a file means the same when the preset of that name has changed."""
    lines = [line for line in to_toml(PRESETS[name], {}).splitlines() if not line.startswith("preset")]
    assert_same(read_again("\n".join(lines), tmp_path / "r.toml"), PRESETS[name])


CHANGES: dict[str, dict[str, Any]] = {
    "heads": {"n_heads": 4, "n_kv_heads": 2, "attention_output": True},
    "sliding": {
        "n_layers": 3,
        "layer_types": ("sliding", "full", "sliding"),
        "sliding_window": 4,
        "positions": "rope",
        "rope_local_theta": 500.0,
    },
    "softcap": {"logit_softcap": 30.0, "qk_norm": True, "embedding_scale": True},
    "both phases": {"lr": 0.1, "optimizer": "sgd", "momentum": 0.0, "eps": 1e-12},
    "one phase": {"pretrain_epochs": 0, "tune_optimizer": "adamw", "tune_weight_decay": 0.25},
    "bytes": {"tokenizer": "bpe", "vocab_size": 321},
    "letters": {"tokenizer": "char"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("name", ["classic", "modern"])
def test_a_changed_preset_is_read_again_as_it_was(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    recipe = PRESETS[name].changed(changes)
    assert_same(read_again(to_toml(recipe, {}), tmp_path / "r.toml"), recipe)


@given(
    lr=st.floats(1e-300, 1e300),
    eps=st.floats(1e-30, 1.0),
    epochs=st.integers(0, 10**20),
    typos=st.floats(0, 1),
)
def test_numbers_are_read_again_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, lr: float, eps: float, epochs: int, typos: float
) -> None:
    recipe = replace(PRESETS["classic"], tune=TrainConfig(lr=lr, eps=eps, epochs=epochs, typos=typos))
    assert_same(read_again(to_toml(recipe, {}), tmp_path_factory.getbasetemp() / "r.toml"), recipe)


def test_values_of_both_phases_are_written_once() -> None:
    values = tomllib.loads(to_toml(PRESETS["classic"], {}))
    assert (values["epochs"], values["pretrain_lr"], values["tune_lr"]) == (100, 0.0005, 0.0001)
    assert not {"tune_epochs", "pretrain_epochs", "lr"} & values.keys()


def test_what_is_nothing_has_no_line() -> None:
    values = tomllib.loads(to_toml(PRESETS["classic"], {"corpus": None, "seed": 0}))
    assert not {"sliding_window", "layer_types", "logit_softcap", "corpus", "vocab_size"} & values.keys()
    assert values["seed"] == 0


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_again(text: str) -> None:
    written = to_toml(PRESETS["classic"], {"corpus": text})
    assert written.isascii()
    assert tomllib.loads(written)["corpus"] == text


# What `info --toml` writes


def told(path: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["info", path, "--toml"]) == 0
    return capsys.readouterr().out


SMALL = {"n_layers": 1, "d_model": 8, "d_ff": 8, "epochs": 0}


@pytest.mark.parametrize(
    ("name", "changes"),
    [("classic", {}), ("modern", {"head_dim": 2}), ("classic", {"n_heads": 2, "gated": True, "lr": 0.5})],
)
def test_a_model_made_from_what_info_tells_is_the_same(
    name: str, changes: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tinychat.train("facts.txt", name, 3, **SMALL, **changes)
    model.save("first.npz")
    text = told("first.npz", capsys)
    Path("recipe.toml").write_text(text, encoding="utf-8")
    assert train("--out", "second.npz") == 0
    again = load("second.npz")
    assert again.config == model.config
    assert (again.card.configs, again.card.seed, again.card.preset) == (model.card.configs, 3, name)
    assert again.card.corpus_fingerprint == model.card.corpus_fingerprint
    assert (again.transformer.parameters.values == model.transformer.parameters.values).all()
    assert told("second.npz", capsys) == text


@pytest.mark.skipif(os.name == "nt", reason="a file of this name cannot be made everywhere")
def test_a_corpus_with_a_rare_name(capsys: pytest.CaptureFixture[str]) -> None:
    name = 'my "rain" \\ 雨 \N{UMBRELLA} \N{GRINNING FACE}.txt'
    Path("facts.txt").rename(name)
    tinychat.train(name, **SMALL).save("first.npz")
    Path("recipe.toml").write_text(told("first.npz", capsys), encoding="utf-8")
    assert train("--out", "second.npz") == 0
    assert load("second.npz").card.corpus_source == str(Path(name).resolve())


def test_a_model_whose_corpus_came_from_python_names_none(capsys: pytest.CaptureFixture[str]) -> None:
    tinychat.train(tinychat.Corpus("rain", ("Rain falls.",)), **SMALL).save("m.npz")
    assert "corpus" not in tomllib.loads(told("m.npz", capsys))


def test_a_preset_of_ones_own_is_told_by_its_values(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = replace(PRESETS["modern"].changed({**SMALL, "head_dim": 2}), name="own")
    run = tinychat.TrainingRun.start(tinychat.load_corpus("facts.txt"), own)
    run.model.save("m.npz")
    text = told("m.npz", capsys)
    assert "preset" not in tomllib.loads(text)
    found = read_again(text, tmp_path / "r.toml")
    assert found.model_config(50) == own.model_config(50)
    assert found.pretrain == own.pretrain
