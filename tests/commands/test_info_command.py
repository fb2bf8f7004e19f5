"""`tinychat info` and `tinychat corpora`: what there is."""

import shutil
import tomllib
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from cli_runs import Outcome, assert_refused, bits

from tinychat.corpus import bundled_corpora, load_corpus
from tinychat.presets import RECIPE_FIELDS
from tinychat.weights import load, save

Call = Callable[..., Outcome]


def test_info_tells_where_a_model_comes_from(call: Call, learned: Path, kept_corpus: Path) -> None:
    shown = call("info", learned)
    assert (shown.code, shown.err) == (0, "")
    model = load(learned)
    progress = model.card.progress
    for part in (
        str(learned),
        model.card.created,
        f"weather: 3 facts, 3 dialogues ({kept_corpus})",
        "classic, seed 0",
        f"{model.n_parameters:,}",
        "n_layers=3",
        "20 of 20 epochs",
        f"{progress['pretrain'].epochs[0].loss:.4f} -> {progress['pretrain'].epochs[-1].loss:.4f}",
        "60 of 60 epochs",
        f"{progress['tune'].epochs[0].loss:.4f} -> {progress['tune'].epochs[-1].loss:.4f}",
        f"{20 * 3 + 60 * 3} updates",
        f"numpy {model.card.versions['numpy']}",
    ):
        assert part in shown.out


def test_names_and_values_stand_apart(call: Call, learned: Path) -> None:
    lines = call("info", learned).out.splitlines()
    names = ["file", "created", "corpus", "preset", "parameters", "shape", "pre-training", "instruction"]
    assert [line.split()[0] for line in lines] == [*names, "optimiser", "versions"]


def test_info_as_json(call: Call, learned: Path) -> None:
    shown = call("info", learned, "--json")
    assert (shown.code, shown.err) == (0, "")
    [found] = shown.records
    model = load(learned)
    assert found["parameters"] == model.n_parameters
    assert found["config"]["d_model"] == model.config.d_model == 128
    assert found["card"] == asdict(model.card)


def test_info_of_an_unfinished_and_of_a_bare_model(call: Call, learned: Path) -> None:
    model = load(learned)
    model.card.configs["tune"] = replace(model.card.configs["tune"], epochs=90)
    save(replace(model, optimizer=None), "bare.npz")
    shown = call("info", "bare.npz").out
    assert "60 of 90 epochs" in shown
    assert "not in the file" in shown
    assert "can be resumed" not in shown


def test_info_of_a_model_that_was_not_trained(call: Call, corpus: Path) -> None:
    none = ("--pretrain-epochs", "0", "--tune-epochs", "0")
    call("train", "--corpus", corpus, *none, "--out", "m.npz")
    assert "0 of 0 epochs" in call("info", "m.npz").out


@pytest.mark.parametrize("name", ["rain", "latest"])
def test_info_by_name(call: Call, learned: Path, name: str) -> None:
    Path("data/models").mkdir(parents=True)
    shutil.copy(learned, "data/models/rain.npz")
    assert "seed 0" in call("info", "--data-dir", "data", name).out


def test_info_tells_the_names_there_are(call: Call, learned: Path) -> None:
    assert_refused(call("info", "--data-dir", "data", "snow"), 2, "snow", "none yet")
    Path("data/models").mkdir(parents=True)
    shutil.copy(learned, "data/models/rain.npz")
    assert_refused(call("info", "--data-dir", "data", "snow"), 2, "snow", "rain")


def test_corpora(call: Call) -> None:
    shown = call("corpora")
    assert (shown.code, shown.err) == (0, "")
    names = list(bundled_corpora())
    assert "basics" in names
    assert [line.split(":")[0] for line in shown.out.splitlines()] == names
    basics = load_corpus("basics")
    [line] = [line for line in shown.out.splitlines() if line.startswith("basics")]
    assert f"{len(basics.facts)} facts, {len(basics.dialogues)} dialogues" in line


def test_corpora_as_json(call: Call) -> None:
    records = call("corpora", "--json").records
    assert [record["name"] for record in records] == list(bundled_corpora())
    for record in records:
        corpus = load_corpus(record["name"])
        assert (record["facts"], record["dialogues"]) == (len(corpus.facts), len(corpus.dialogues))
        # What is told can be read.
        assert load_corpus(record["path"]).fingerprint == corpus.fingerprint


# The recipe as TOML


def test_info_as_toml_is_the_recipe(call: Call, learned: Path, kept_corpus: Path) -> None:
    shown = call("info", learned, "--toml")
    assert (shown.code, shown.err) == (0, "")
    found = tomllib.loads(shown.out)
    assert (found["corpus"], found["seed"]) == (str(kept_corpus), 0)
    assert (found["preset"], found["tokenizer"]) == ("classic", "word")
    assert (found["pretrain_epochs"], found["tune_epochs"]) == (20, 60)
    model = load(learned)
    shape = {name: value for name, value in asdict(model.config).items() if value not in (None, ())}
    del shape["vocab_size"]
    assert {name: found[name] for name in shape} == shape
    assert found["clip_norm"] == model.card.configs["tune"].clip_norm


def test_every_key_of_the_toml_is_a_flag(call: Call, learned: Path) -> None:
    found = tomllib.loads(call("info", learned, "--toml").out)
    assert found.keys() <= {"corpus", "seed", "preset", *RECIPE_FIELDS}


def test_the_toml_trains_the_same_model(call: Call, corpus: Path) -> None:
    """Bit for bit, when everything in it was changed."""
    flags = ("--preset", "modern", "--seed", "4", "--n-layers", "1", "--d-model", "16", "--head-dim", "4")
    more = (
        "--d-ff",
        "8",
        "--pretrain-epochs",
        "1",
        "--tune-epochs",
        "2",
        "--lr",
        "0.01",
        "--tokenizer",
        "char",
    )
    assert call("train", "--corpus", corpus, *flags, *more, "--no-gated", "--out", "first.npz").code == 0
    Path("recipe.toml").write_text(call("info", "first.npz", "--toml").out, encoding="utf-8")
    assert call("train", "--config", "recipe.toml", "--out", "second.npz").code == 0
    assert bits(Path("first.npz")) == bits(Path("second.npz"))


def test_toml_goes_before_json(call: Call, learned: Path) -> None:
    assert call("info", learned, "--toml", "--json").out == call("info", learned, "--toml").out


def test_a_model_that_is_not_there_has_no_toml(call: Call) -> None:
    assert_refused(call("info", "none.npz", "--toml"), 2, "none.npz")
