"""`tinychat train`, to the end: what it writes, tells and refuses."""

import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from cli_runs import ANSWERS, FACTS, Call, assert_refused, bits, epochs_of

from tinychat.core.model import Transformer
from tinychat.presets import PRESETS
from tinychat.weights import load

EPOCHS = ("--pretrain-epochs", "2", "--tune-epochs", "3")
QUICK = ("--pretrain-epochs", "1", "--tune-epochs", "1")


def values(path: str | Path) -> bytes:
    return load(path).transformer.parameters.values.tobytes()


def test_the_file_has_what_was_asked_for(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus, "--preset", "classic", "--seed", "5", *EPOCHS, "--out", "m.npz")
    assert (done.code, done.out) == (0, "")
    model = load("m.npz")
    card = model.card
    assert (card.preset, card.seed, card.corpus) == ("classic", 5, "weather")
    assert (card.n_facts, card.n_dialogues) == (len(FACTS), len(ANSWERS))
    assert {phase: config.epochs for phase, config in card.configs.items()} == {"pretrain": 2, "tune": 3}
    assert epochs_of(Path("m.npz")) == {"pretrain": 2, "tune": 3}
    assert card.is_finished
    assert model.config == PRESETS["classic"].model_config(model.tokenizer.vocab_size)
    assert [path.name for path in Path().glob("*.npz")] == ["m.npz"]
    assert not list(Path().glob(".*")), "a temporary file was left"


def test_progress_without_a_terminal_is_lines_on_stderr(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz")
    *lines, last = done.err.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["pretrain", "1/2"],
        ["pretrain", "2/2"],
        ["tune", "1/3"],
        ["tune", "3/3"],
    ]
    card = load("m.npz").card
    for line, (phase, epoch) in zip(
        lines, [("pretrain", 0), ("pretrain", 1), ("tune", 0), ("tune", 2)], strict=True
    ):
        assert f"loss {card.progress[phase].epochs[epoch].loss:.4f}" in line
        assert line.endswith("s left")
    assert last.startswith("tinychat: 5 epochs")
    assert f"{card.final_loss:.4f}" in last
    assert "m.npz" in last
    assert "\x1b" not in done.err


def test_json_is_one_object_an_event(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz", "--json")
    assert (done.code, done.err) == (0, "")
    epochs = [
        (record["phase"], record["epoch"]) for record in done.records if record["event"] == "epoch_done"
    ]
    assert epochs == [("pretrain", 1), ("pretrain", 2), ("tune", 1), ("tune", 2), ("tune", 3)]
    card = load("m.npz").card
    losses = [record["loss"] for record in done.records if record["event"] == "epoch_done"]
    assert losses == [record.loss for progress in card.progress.values() for record in progress.epochs]
    phases = [
        (name, record["phase"])
        for name, record in zip(done.names, done.records, strict=True)
        if name.startswith("phase")
    ]
    assert phases == [
        ("phase_started", "pretrain"),
        ("phase_done", "pretrain"),
        ("phase_started", "tune"),
        ("phase_done", "tune"),
    ]
    samples = [record for record in done.records if record["event"] == "sample_drawn"]
    assert {record["prompt"] for record in samples if record["phase"] == "tune"} <= set(ANSWERS)
    assert done.names[-2:] == ["checkpoint_saved", "finished"]
    assert done.names.count("finished") == 1
    assert {record["path"] for record in done.records if record["event"] == "checkpoint_saved"} == {"m.npz"}


def test_finished_tells_the_time_of_training_alone(
    call: Call, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading and saving are made slow here: were they counted, it would show."""
    slept = 0.0

    def slow(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            nonlocal slept
            time.sleep(0.2)
            slept += 0.2
            return function(*arguments)

        return wrapped

    from tinychat.commands import recipe, train
    from tinychat.training import checkpoint

    monkeypatch.setattr(recipe, "load_corpus", slow(recipe.load_corpus))
    monkeypatch.setattr(train, "save", slow(train.save))
    monkeypatch.setattr(checkpoint, "save", slow(checkpoint.save))
    start = perf_counter()
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz", "--json")
    elapsed = perf_counter() - start
    last = done.records[-1]
    assert last["event"] == "finished"
    # Read once, saved after the first epoch, and at the end.
    assert slept == pytest.approx(0.6)
    assert done.names.count("checkpoint_saved") == 2
    phases = [record["seconds"] for record in done.records if record["event"] == "phase_done"]
    assert 0 < sum(phases) <= last["seconds"] <= elapsed - slept


def test_finished_after_a_resumption_tells_the_time_of_this_call(call: Call, corpus: Path) -> None:
    call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz")
    start = perf_counter()
    done = call("train", "--resume", "m.npz", "--json")
    assert 0 <= done.records[-1]["seconds"] <= perf_counter() - start


def test_out_gets_the_suffix_and_its_folders(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", "new/folder/my.model")
    assert done.code == 0
    assert epochs_of(Path("new/folder/my.model.npz")) == {"pretrain": 2, "tune": 3}
    assert str(Path("new/folder/my.model.npz")) in done.err


def test_out_takes_the_place_of_an_older_file(call: Call, corpus: Path) -> None:
    Path("m.npz").write_text("something else")
    assert call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz").code == 0
    assert epochs_of(Path("m.npz")) == {"pretrain": 2, "tune": 3}


def test_a_home_folder_in_out(call: Call, corpus: Path, tmp_path: Path) -> None:
    assert call("train", "--corpus", corpus, *EPOCHS, "--out", "~/m.npz").code == 0
    assert (tmp_path / "home" / "m.npz").is_file()


def test_the_bundled_corpus_is_the_default(call: Call) -> None:
    none = ("--pretrain-epochs", "0", "--tune-epochs", "0")
    for number, arguments in enumerate(([], ["--corpus", "basics"])):
        assert call("train", *arguments, *none, "--out", f"{number}.npz").code == 0
    assert bits(Path("0.npz")) == bits(Path("1.npz"))
    assert load("0.npz").card.corpus == "basics"


# Seeds


def test_the_same_seed_gives_the_same_bits_and_another_does_not(call: Call, corpus: Path) -> None:
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8"), ("zero", "0")):
        call("train", "--corpus", corpus, *QUICK, "--seed", seed, "--out", f"{name}.npz")
    call("train", "--corpus", corpus, *QUICK, "--out", "default.npz")
    assert bits(Path("a.npz")) == bits(Path("b.npz"))
    assert bits(Path("default.npz")) == bits(Path("zero.npz"))
    assert len({values(f"{name}.npz") for name in ("a", "c", "zero")}) == 3


def test_flags_before_the_command_are_as_good_as_behind_it(call: Call, corpus: Path) -> None:
    flags = ("--corpus", corpus, "--preset", "classic", "--seed", "7", *QUICK)
    assert call("train", *flags, "--out", "behind.npz").code == 0
    assert call(*flags, "train", "--out", "before.npz").code == 0
    assert call(*flags[:6], "train", *flags[6:], "--out", "both.npz").code == 0
    assert bits(Path("before.npz")) == bits(Path("behind.npz")) == bits(Path("both.npz"))
    assert load("before.npz").card.seed == 7


def test_of_two_seeds_the_last_counts(call: Call, corpus: Path) -> None:
    call("--seed", "1", "train", "--seed", "2", "--corpus", corpus, *QUICK, "--out", "m.npz")
    assert load("m.npz").card.seed == 2


def test_a_huge_seed(call: Call, corpus: Path) -> None:
    seed = str(10**30)
    assert call("train", "--corpus", corpus, *QUICK, "--seed", seed, "--out", "m.npz").code == 0
    assert load("m.npz").card.seed == 10**30


# Phases that are left out


@pytest.mark.parametrize(("pretrain", "tune"), [(0, 2), (2, 0), (0, 0)])
def test_zero_epochs(call: Call, corpus: Path, pretrain: int, tune: int) -> None:
    flags = ("--pretrain-epochs", str(pretrain), "--tune-epochs", str(tune), "--seed", "3")
    done = call("train", "--corpus", corpus, *flags, "--out", "m.npz", "--json")
    assert (done.code, done.err) == (0, "")
    epochs = [record["phase"] for record in done.records if record["event"] == "epoch_done"]
    assert epochs == ["pretrain"] * pretrain + ["tune"] * tune
    assert done.names[-1] == "finished"
    model = load("m.npz")
    untrained = Transformer(model.config)
    untrained.parameters.initialise(np.random.default_rng(3))
    changed = untrained.parameters.values.tobytes() != values("m.npz")
    assert changed == (pretrain + tune > 0)
    assert model.card.is_finished
    asked = call("ask", "--load", "m.npz", "--json", "What falls?")
    assert (asked.code, len(asked.records)) == (0, 1)


def test_zero_epochs_without_json(call: Call, corpus: Path) -> None:
    none = ("--pretrain-epochs", "0", "--tune-epochs", "0")
    done = call("train", "--corpus", corpus, *none, "--out", "m.npz")
    assert (done.code, done.out) == (0, "")
    assert "0 epochs" in done.err
    assert call("info", "m.npz").code == 0


def test_a_corpus_without_dialogues_is_pretraining_alone(call: Call, corpus: Path) -> None:
    (corpus / "chat.txt").unlink()
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz", "--json")
    assert done.code == 0
    assert {record["phase"] for record in done.records if "phase" in record} == {"pretrain"}
    assert epochs_of(Path("m.npz")) == {"pretrain": 2}


def test_a_corpus_without_facts_is_tuning_alone(call: Call, corpus: Path) -> None:
    (corpus / "pretraining.txt").unlink()
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz", "--json")
    assert done.code == 0
    assert {record["phase"] for record in done.records if "phase" in record} == {"tune"}
    assert epochs_of(Path("m.npz")) == {"tune": 3}


def test_rows_longer_than_the_context_are_cut_and_counted(call: Call, corpus: Path) -> None:
    with (corpus / "pretraining.txt").open("a", encoding="utf-8") as file:
        file.write("Rain " * 80 + "\n")  # with the end token one more than fits, but that is only predicted
        file.write("Rain " * 81 + "\n" + "Rain " * 500 + "\n")
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz", "--json")
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert done.err.startswith("tinychat: 2 rows ")
    assert "80 tokens" in done.err
    started = next(record for record in done.records if record["event"] == "phase_started")
    assert (started["examples"], started["tokens"]) == (6, 16 + 3 * 80)


# Refusals


def test_out_is_needed(call: Call, corpus: Path) -> None:
    assert_refused(call("train", "--corpus", corpus, *EPOCHS), 2, "--out")


def test_a_place_that_cannot_be_written_is_found_before_training(
    call: Call, corpus: Path, nowhere: Path
) -> None:
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", nowhere / "m.npz", "--json")
    assert_refused(done, 1, str(nowhere / "m.npz"), "--out")  # and so no event either


def test_a_folder_in_the_place_of_the_file(call: Call, corpus: Path) -> None:
    Path("m.npz").mkdir()
    assert_refused(call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz", "--json"), 1, "m.npz")
    assert list(Path("m.npz").iterdir()) == []
    assert not list(Path().glob("*.tmp"))


@pytest.mark.parametrize("out", ["", ".", "/", ".."])
def test_an_out_that_is_no_file_name(call: Call, corpus: Path, out: str) -> None:
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", out)
    assert done.code in (1, 2)
    assert done.err.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["weather"]


def test_weights_that_diverge(call: Call, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the second epoch the loss stops being a number; what was saved after the first stays."""
    whole = Transformer.loss
    n_calls = 0

    def poisoned(self: Transformer, *batch: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 5:
            self.parameters.values[:] = np.nan
        return whole(self, *batch)

    monkeypatch.setattr(Transformer, "loss", poisoned)
    done = call("train", "--corpus", corpus, *EPOCHS, "--out", "m.npz", "--json")
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "epoch 2" in done.err
    assert "finished" not in done.names
    assert epochs_of(Path("m.npz")) == {"pretrain": 1, "tune": 0}
