"""`tinychat train`, to the end: what it writes, tells and refuses."""

import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from cli_runs import ANSWERS, FACTS, Outcome, assert_refused, bits, epochs_of

from tinychat.core.model import Transformer
from tinychat.model import Model
from tinychat.presets import PRESETS
from tinychat.weights import load

Call = Callable[..., Outcome]
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


# The recipe by flags and by file

TINY = ("--n-layers", "1", "--d-model", "16", "--d-ff", "8", "--epochs", "1")


def trained(call: Call, corpus: Path, *flags: str) -> Model:
    done = call("train", "--corpus", corpus, *TINY, *flags, "--out", "m.npz")
    assert (done.code, done.out) == (0, "")
    return load("m.npz")


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


# Trying learning rates


def test_rates_are_tried_in_both_phases(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus, *TINY, "--find-lr", "--json")
    assert (done.code, done.err) == (0, "")
    assert [record["phase"] for record in done.records] == ["pretrain", "tune"]
    for record in done.records:
        assert set(record) == {"phase", "lr", "lowest", "trials"}
        rates = [rate for rate, _ in record["trials"]]
        assert rates[0] == pytest.approx(1e-6)
        assert rates == sorted(set(rates))
        assert rates[-1] <= 1.0 + 1e-9
        steps = np.diff(np.log(rates))
        assert steps == pytest.approx(np.full(len(steps), np.log(1e6) / 119))
        assert record["lr"] in rates
        assert record["lowest"] == min(record["trials"], key=lambda trial: trial[1])[0]
        assert min(loss for _, loss in record["trials"]) < record["trials"][0][1], "nothing was learnt"
    assert [path.name for path in Path().iterdir()] == ["weather"], "something was saved"


def test_rates_are_drawn(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus, *TINY, "--find-lr")
    assert (done.code, done.err) == (0, "")
    records = call("train", "--corpus", corpus, *TINY, "--find-lr", "--json").records
    pictures = done.out.split("\n\n")
    assert pictures[-1] == ""
    for title, record, picture in zip(
        ("Pre-training", "Instruction tuning"), records, pictures[:-1], strict=True
    ):
        first, *lines = picture.splitlines()
        assert first == f"{title}, from new weights: loss by learning rate"
        losses = [loss for _, loss in record["trials"]]
        assert lines[0].split()[0] == f"{max(losses):.2f}"
        assert lines[11].split()[0] == f"{min(losses):.2f}"
        assert all(line[8] == "│" for line in lines[:12])
        assert 12 <= sum(line.count("•") for line in lines[:12]) <= len(losses)
        assert lines[13].split() == ["1e-06", "1e-05", "1e-04", "1e-03", "1e-02", "1e-01", "1e+00"]
        assert f"fastest at {record['lr']:.1e} and is lowest at {record['lowest']:.1e}" in lines[14]
        assert lines[15].endswith(f"--{record['phase']}-lr {record['lr']:.1g}")


def test_rates_are_tried_the_same_way_each_time_and_by_seed(call: Call, corpus: Path) -> None:
    first, again, other = (
        call("train", "--corpus", corpus, *TINY, "--find-lr", "--json", "--seed", seed).out for seed in "112"
    )
    assert first == again != other


def test_rates_for_a_corpus_of_facts_alone(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus / "pretraining.txt", *TINY, "--find-lr", "--json")
    assert [record["phase"] for record in done.records] == ["pretrain"]


@pytest.mark.parametrize("flag", ["--out", "--resume"])
def test_trying_rates_saves_nothing_and_resumes_nothing(call: Call, corpus: Path, flag: str) -> None:
    done = call("train", "--corpus", corpus, *TINY, "--find-lr", flag, "m.npz")
    assert_refused(done, 2, "--find-lr", flag)
    assert not Path("m.npz").exists()


# Running text

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
