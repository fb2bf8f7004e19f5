"""`tinychat train` on windows of a running text, and on nanoGPT's recipe."""

import tomllib
from pathlib import Path

import pytest
from cli_runs import Call

from tinychat.weights import load

NANOGPT = Path(__file__).parents[1] / "benchmarks/nanogpt.toml"
VERSES = "Rain falls,\nfalls and falls.\n\nSnow lies,\nlies and melts.\n" * 8


def test_nanogpt_recipe_has_its_size_and_number_of_updates(call: Call) -> None:
    Path("verses.txt").write_text(VERSES, encoding="utf-8")
    done = call("train", "--config", NANOGPT, "--corpus", "verses.txt", "--epochs", "0", "--out", "m.npz")
    assert (done.code, done.err.count("\n")) == (0, 1)
    model = load("m.npz")
    config = model.card.configs["pretrain"]
    matrices = 4 * (128 * 3 * 128 + 128 * 128 + 2 * 128 * 512)
    tables = (model.tokenizer.vocab_size + 64) * 128
    assert model.n_parameters == matrices + tables + 9 * 128  # and the gains of nine norms
    epochs = tomllib.loads(NANOGPT.read_text(encoding="utf-8"))["epochs"]
    assert epochs * config.windows == 2000 * config.batch_size
    assert (config.optimizer, config.validation, config.lr * config.final_lr) == ("adamw", 0.1, 0.0001)


def test_windows_of_a_text_with_what_is_held_out(call: Call) -> None:
    Path("verses.txt").write_text(VERSES, encoding="utf-8")
    small = ("--n-layers", "1", "--d-model", "16", "--d-ff", "16", "--n-heads", "1", "--max-seq-len", "16")
    flags = (*small, "--epochs", "2", "--windows", "9", "--batch-size", "4")
    done = call("train", "--config", NANOGPT, "--corpus", "verses.txt", *flags, "--out", "m.npz", "--json")
    assert (done.code, done.err) == (0, "")
    [started] = [record for record in done.records if record["event"] == "phase_started"]
    assert (started["examples"], started["tokens"]) == (9, 9 * 16)
    losses = [record["held_out_loss"] for record in done.records if record["event"] == "epoch_done"]
    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert load("m.npz").tokenizer.encode("\n")
    again = call("train", "--resume", "m.npz", "--json")
    assert (again.code, again.err) == (0, "")
    measured = call("eval", "--load", "m.npz", "--corpus", "verses.txt", "--json")
    assert measured.records[0]["loss"] == pytest.approx(losses[1], rel=0.2)
