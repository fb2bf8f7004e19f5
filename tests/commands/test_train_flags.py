"""Flags of `tinychat train` for the model, the training and the tokenizer, and files with them."""

from pathlib import Path

import pytest
from cli_runs import Call, assert_refused, bits
from tiny_training import TINY, trained


@pytest.mark.parametrize(
    ("flags", "name", "value"),
    [
        (("--d-ff", "24"), "d_ff", 24),
        (("--dropout", "0.25"), "dropout", 0.25),
        (("--norm", "rmsnorm"), "norm", "rmsnorm"),
        (("--gated",), "gated", True),
        (("--no-bias",), "bias", False),
        (("--logit-softcap", "30"), "logit_softcap", 30.0),
        (("--logit-softcap", "none"), "logit_softcap", None),
        (("--layer-types", "full"), "layer_types", ("full",)),
        (("--layer-types", "sliding", "--sliding-window", "4"), "sliding_window", 4),
        (("--n-heads", "4"), "head_dim", 4),
    ],
)
def test_a_flag_of_the_model(
    call: Call, corpus: Path, flags: tuple[str, ...], name: str, value: object
) -> None:
    assert getattr(trained(call, corpus, *flags).config, name) == value


@pytest.mark.parametrize(
    ("flags", "name", "pretrain", "tune"),
    [
        (("--epochs", "2"), "epochs", 2, 2),
        (("--lr", "0.5"), "lr", 0.5, 0.5),
        (("--lr", "0.5", "--tune-lr", "0.25"), "lr", 0.5, 0.25),
        (("--pretrain-lr", "0.5"), "lr", 0.5, 0.0001),
        (("--optimizer", "sgd"), "optimizer", "sgd", "sgd"),
        (("--tune-optimizer", "muon"), "optimizer", "adam", "muon"),
        (("--mask-prompt", "--no-pretrain-mask-prompt"), "mask_prompt", False, True),
        (("--batch-size", "2"), "batch_size", 2, 2),
    ],
)
def test_a_flag_of_the_training(
    call: Call, corpus: Path, flags: tuple[str, ...], name: str, pretrain: object, tune: object
) -> None:
    configs = trained(call, corpus, *flags).card.configs
    assert {phase: getattr(config, name) for phase, config in configs.items()} == {
        "pretrain": pretrain,
        "tune": tune,
    }


@pytest.mark.parametrize("kind", ["word", "char", "bpe"])
def test_a_flag_of_the_tokenizer(call: Call, corpus: Path, kind: str) -> None:
    size = ("--vocab-size", "280")
    tokenizer = trained(call, corpus, "--tokenizer", kind, *(size if kind == "bpe" else ())).tokenizer
    assert tokenizer.to_dict()["kind"] == kind
    assert (tokenizer.vocab_size == 280) == (kind == "bpe")
    if kind != "bpe":
        refused = call("train", "--corpus", corpus, "--tokenizer", kind, *size, "--out", "none.npz")
        assert_refused(refused, 2, f"size of a {kind} vocabulary", "vocab_size")


def test_the_effective_configuration_is_told_by_info(call: Call, corpus: Path) -> None:
    Path("recipe.toml").write_text('preset = "modern"\ntune_lr = 0.25\nworkers = 1\n', encoding="utf-8")
    flags = ("--config", "recipe.toml", "--head-dim", "4", "--pretrain-lr", "0.125", "--no-gated")
    model = trained(call, corpus, *flags)
    [found] = call("info", "m.npz", "--json").records
    assert found["card"]["preset"] == "modern"
    assert {phase: config["lr"] for phase, config in found["card"]["configs"].items()} == {
        "pretrain": 0.125,
        "tune": 0.25,
    }
    config = found["config"]
    assert (config["gated"], config["norm"], config["d_model"], config["head_dim"]) == (
        False,
        "rmsnorm",
        16,
        4,
    )
    assert found["parameters"] == model.n_parameters
    shown = call("info", "m.npz").out
    for part in ("gated=False", "norm=rmsnorm", "head_dim=4", "learning rate 0.125", "learning rate 0.25"):
        assert part in shown


def test_a_config_file_is_as_good_as_its_flags(call: Call, corpus: Path) -> None:
    lines = ["n_layers = 1", "d_model = 16", "d_ff = 8", "epochs = 1", 'optimizer = "sgd"', "seed = 3"]
    lines += [f"corpus = '{corpus}'", 'out = "file.npz"']
    Path("recipe.toml").write_text("\n".join(lines), encoding="utf-8")
    assert call("train", "--config", "recipe.toml").code == 0
    trained(call, corpus, "--optimizer", "sgd", "--seed", "3")
    assert bits(Path("file.npz")) == bits(Path("m.npz"))


def test_a_flag_goes_before_the_config_file(call: Call, corpus: Path) -> None:
    Path("recipe.toml").write_text("lr = 0.5\nseed = 3\ndropout = 0.5\n", encoding="utf-8")
    model = trained(call, corpus, "--config", "recipe.toml", "--seed", "4", "--tune-lr", "0.25")
    assert (model.card.seed, model.config.dropout) == (4, 0.5)
    assert [config.lr for config in model.card.configs.values()] == [0.5, 0.25]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--n-heads", "3"), "n_heads"),
        (("--n-heads", "x"), "--n-heads"),
        (("--norm", "batchnorm"), "--norm"),
        (("--lr", "0"), "lr"),
        (("--lr", "nan"), "lr"),
        (("--weight-decay", "0.1"), "adamw"),
        (("--sliding-window", "4"), "layer_types"),
        (("--layer-types", "round"), "round"),
        (("--tokenizer", "bpe", "--vocab-size", "3"), "257"),
        (("--config", "none.toml"), "none.toml"),
    ],
)
def test_a_recipe_that_makes_no_sense(call: Call, corpus: Path, flags: tuple[str, ...], told: str) -> None:
    assert_refused(call("train", "--corpus", corpus, *TINY, *flags, "--out", "m.npz"), 2, told)
    assert not Path("m.npz").exists()


@pytest.mark.parametrize("flag", ["--n-heads", "--tune-lr", "--tokenizer", "--preset", "--seed"])
def test_a_resumption_keeps_its_recipe(call: Call, corpus: Path, flag: str) -> None:
    trained(call, corpus)
    value = {"--tokenizer": "char", "--preset": "modern"}.get(flag, "2")
    assert_refused(call("train", "--resume", "m.npz", flag, value), 2, flag)
