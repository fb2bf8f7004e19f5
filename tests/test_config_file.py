"""Recipes are read from files: keys are flags, and flags of the command line go before them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from recipe_files import train

from tinychat.cli import RUN, main
from tinychat.config_file import read_flags, to_toml
from tinychat.errors import ConfigError
from tinychat.presets import PRESETS
from tinychat.weights import load

NO_EPOCHS = "epochs = 0\nn_layers = 1\nd_model = 8\nd_ff = 8\n"
Write = Callable[[str | bytes], Path]
pytestmark = pytest.mark.usefixtures("beside_facts")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "recipe.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_keys_are_flags(write: Write) -> None:
    path = write(
        """
        # a recipe
        corpus = "my rain/"
        seed = 7
        n_heads = 4
        tune_lr = 1e-3
        lr = 0.5
        gated = true
        bias = false
        tune_mask_prompt = false
        layer_types = ["full", "sliding"]
        norm = "rmsnorm"
        out = "-m=1.npz"
        """
    )
    assert read_flags(path, {*RUN, "out"}) == [
        "--corpus=my rain/",
        "--seed=7",
        "--n-heads=4",
        "--tune-lr=0.001",
        "--lr=0.5",
        "--gated",
        "--no-bias",
        "--no-tune-mask-prompt",
        "--layer-types=full,sliding",
        "--norm=rmsnorm",
        "--out=-m=1.npz",
    ]


def test_an_empty_file_has_no_flags(write: Write) -> None:
    assert read_flags(write("# nothing yet\n"), RUN) == []


def test_windows_line_ends(write: Write) -> None:
    assert read_flags(write(b"seed = 1\r\nlr = 2.0\r\n"), RUN) == ["--seed=1", "--lr=2.0"]


@pytest.mark.parametrize(
    ("key", "hint"),
    [("n_head", "'n_heads'"), ("tune_batchsize", "'tune_batch_size'"), ("zzz", "as the flags are")],
)
def test_an_unknown_key_is_refused_with_a_hint(write: Write, key: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_flags(write(f"seed = 1\n{key} = 2\n"), RUN)
    for told in ("recipe.toml", repr(key), hint):
        assert told in str(caught.value)


def test_keys_in_a_table_are_not_flags(write: Write) -> None:
    with pytest.raises(ConfigError, match="'tune'"):
        read_flags(write("[tune]\nlr = 1.0\n"), RUN)


@pytest.mark.parametrize("value", ["1979-05-27", "[1, 2]", "{ a = 1 }", '["full", 1]', "[[]]"])
def test_values_that_no_flag_takes(write: Write, value: str) -> None:
    with pytest.raises(ConfigError, match="lr must be a number, a text, true, false or a list of texts"):
        read_flags(write(f"lr = {value}\n"), RUN)


@pytest.mark.parametrize("key", ["json", "out", "n_heads", "corpus", "tune_lr"])
def test_only_a_switch_can_be_false(write: Write, key: str) -> None:
    """Argparse would take `--no-out` for `--no-output-bias`."""
    with pytest.raises(ConfigError, match=f"recipe.toml: {key} cannot be false"):
        read_flags(write(f"{key} = false\n"), {*RUN, "json", "out"})


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("seed = \n", id="no value"),
        pytest.param("seed: 1\n", id="another format"),
        pytest.param("seed = 1\nseed = 2\n", id="a key twice"),
        pytest.param('norm = "rms\n', id="an open text"),
        pytest.param(b"corpus = '\xff'\n", id="not UTF-8"),
        pytest.param(f"seed = {'1' * 5000}\n", id="too many digits"),
        pytest.param(f"seed = {'[' * 50_000}\n", id="nested too deeply"),
        pytest.param(b"\x00\x01PNG", id="no text at all"),
    ],
)
def test_what_is_not_toml(write: Write, content: str | bytes) -> None:
    with pytest.raises(ConfigError, match=r"recipe\.toml is not TOML: "):
        read_flags(write(content), RUN)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match=f"cannot read .*{path.name}"):
            read_flags(path, RUN)


def test_a_file_says_what_the_command_line_does_not(write: Write) -> None:
    write(NO_EPOCHS + 'corpus = "facts.txt"\nseed = 5\npreset = "modern"\nn_heads = 2\nout = "m.npz"\n')
    assert train("--seed", "6", "--n-heads", "4") == 0
    model = load("m.npz")
    assert (model.card.preset, model.card.seed, model.card.corpus) == ("modern", 6, "facts")
    assert (model.config.n_heads, model.config.d_model, model.config.norm) == (4, 8, "rmsnorm")


@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_flag_goes_before_the_file_wherever_it_stands(write: Write, place: str) -> None:
    write(NO_EPOCHS + 'corpus = "facts.txt"\nseed = 5\nout = "m.npz"\n')
    file, flag = ["--config", "recipe.toml"], ["--seed", "6"]
    assert main([*flag, "train", *file] if place == "before" else [*file, "train", *flag]) == 0
    assert load("m.npz").card.seed == 6


def test_a_flag_for_both_phases_goes_before_a_key_for_one(write: Write) -> None:
    write(NO_EPOCHS + 'corpus = "facts.txt"\nout = "m.npz"\npretrain_lr = 0.125\ntune_lr = 0.25\n')
    assert train() == 0
    assert load("m.npz").card.configs["pretrain"].lr == 0.125
    assert train("--lr", "0.5") == 0
    assert load("m.npz").card.configs["pretrain"].lr == 0.5
    assert train("--tune-lr", "0.5") == 0
    assert load("m.npz").card.configs["pretrain"].lr == 0.125


@pytest.mark.parametrize(("name", "n_kv_heads"), [("classic", 8), ("modern", 2)])
def test_heads_are_changed_over_a_whole_recipe_as_over_its_preset(
    write: Write, name: str, n_kv_heads: int
) -> None:
    small = {"n_layers": 1, "d_ff": 8, "epochs": 0, "workers": 1}
    recipe = PRESETS[name].changed(small)
    write(to_toml(recipe, {"corpus": "facts.txt", "out": "m.npz"}))
    assert train("--n-heads", "8") == 0
    found = load("m.npz").config
    assert (found.n_heads, found.n_kv_heads, found.head_dim) == (8, n_kv_heads, found.d_model // 8)
    wanted = PRESETS[name].changed({**small, "n_heads": 8})
    assert found == wanted.model_config(found.vocab_size)


def test_who_names_a_number_of_epochs_gets_it_also_over_a_file(write: Write) -> None:
    write(to_toml(PRESETS["modern"].changed({"workers": 1}), {"corpus": "facts.txt", "out": "m.npz"}))
    assert train("--epochs", "1") == 0
    assert load("m.npz").card.epochs_done == 1


def test_a_switch_of_the_file_is_turned_by_a_flag(write: Write) -> None:
    write(NO_EPOCHS + 'corpus = "facts.txt"\nout = "m.npz"\ngated = true\nbias = false\n')
    assert train() == 0
    assert (load("m.npz").config.gated, load("m.npz").config.bias) == (True, False)
    assert train("--no-gated", "--bias") == 0
    assert (load("m.npz").config.gated, load("m.npz").config.bias) == (False, True)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("n_heads = 2.5", "--n-heads"),
        ("n_heads = -2", "--n-heads"),
        ('lr = "fast"', "--lr"),
        ("lr = true", "--lr"),
        ('norm = "batchnorm"', "layernorm"),
        ("gated = 1", "--gated"),
        ('layer_types = ["round"]', "layer_types"),
        ("lr = nan", "lr"),
        ("n_heads = 3", "n_heads"),
        ("dropout = 2", "dropout"),
        ("out = false", "out"),
        ("n_head = 2", "n_heads"),
        ("lr = ", "TOML"),
    ],
)
def test_wrong_values_are_one_line_and_exit_2(
    write: Write, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    write(f'{line}\ncorpus = "facts.txt"\n')
    assert train("--out", "m.npz") == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("tinychat")
    assert told in err
    assert not Path("m.npz").exists()


def test_a_wrong_value_is_told_with_the_file_and_only_that_one(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write('lr = "fast"\n')
    assert train("--out", "m.npz") == 2
    assert "recipe.toml: " in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["train", "--lr", "slow"])
    err = capsys.readouterr().err
    assert "slow" in err
    assert "recipe.toml" not in err


def test_a_file_names_no_other_file(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write('config = "recipe.toml"\n')
    assert train("--out", "m.npz") == 2
    assert "'config'" in capsys.readouterr().err


def test_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--out", "m.npz") == 2
    assert "recipe.toml" in capsys.readouterr().err
