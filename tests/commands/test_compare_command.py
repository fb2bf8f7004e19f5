"""`tinychat compare`: the curves, the table, the JSON."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cli_runs import Outcome, assert_refused, spawn
from rich.text import Text

from tinychat.inspection import compare
from tinychat.weights import load, read_summary, save

Call = Callable[..., Outcome]


def test_as_json(call: Call, learned: Path, writer: Path) -> None:
    shown = call("compare", learned, writer, "--json")
    assert (shown.code, shown.err) == (0, "")
    [record] = shown.records
    found = compare(read_summary(learned), read_summary(writer))
    assert record.keys() == {"files", "configuration", "figures", "losses"}
    assert record["files"] == [str(learned), str(writer)]
    assert record["configuration"]["pretrain_epochs"] == [20, 40]
    assert record["configuration"].keys() == found.configuration.keys()
    assert record["figures"] == {name: list(pair) for name, pair in found.figures.items()}
    assert record["losses"] == {phase: list(pair) for phase, pair in found.losses.items()}
    assert len(record["losses"]["pretrain"][1]) == 40


def test_the_curves_of_both_phases(call: Call, learned: Path, writer: Path) -> None:
    shown = call("compare", learned, writer)
    assert (shown.code, shown.err) == (0, "")
    first, second, _ = shown.out.split("\n\n")
    losses = compare(read_summary(learned), read_summary(writer)).losses
    for picture, phase, epochs in ((first, "pretrain", 40), (second, "tune", 60)):
        title, *lines = picture.splitlines()
        values = [loss for pair in losses[phase] for loss in pair]
        assert lines[0].split()[0] == f"{max(values):.3g}"
        assert lines[11].split()[0] == f"{min(values):.3g}"
        assert lines[13].split() == ["1", "epoch", str(epochs)]
        assert title.startswith({"pretrain": "Pre-training", "tune": "Instruction tuning"}[phase])
    assert "• learned  × writer" in first
    assert "×" not in second, "a model that was only pre-trained has no second curve"
    # The first model was done after half of the second one's epochs.
    [reach] = {max(len(line.rstrip(" ×")) for line in first.splitlines()[1:13])}
    assert reach < 9 + 40 < max(map(len, first.splitlines()[1:13]))


def test_the_table(call: Call, learned: Path, writer: Path) -> None:
    rows = {
        row[0]: row[1:] for line in call("compare", learned, writer).out.splitlines() if (row := line.split())
    }
    assert rows["pretrain_epochs"] == ["20", "40"]
    assert rows["tune_epochs"] == ["60", "-"]
    assert "d_model" not in rows, "what does not differ is not told"
    parameters = [f"{load(path).n_parameters:,}" for path in (learned, writer)]
    assert rows["parameters"] == parameters
    loss = load(learned).card.progress["tune"].last_loss
    assert rows["tune.loss"] == [f"{loss:.4g}", "-"]


def test_a_model_and_itself(call: Call, learned: Path) -> None:
    shown = call("compare", learned, learned).out
    assert "no difference" in shown
    picture = shown.split("\n\n")[0].splitlines()
    assert not re.search("[•×]", "".join(picture[1:]))
    assert str(learned) in picture[0], "names that are alike are told by their paths"


def test_values_are_shown_as_their_flags_take_them(call: Call, learned: Path) -> None:
    model = load(learned)
    tune = replace(model.card.configs["tune"], mask_prompt=True, workers=12_000, lr=1 / 3)
    model.card.configs["tune"] = tune
    model.card.seed = 20_261_121
    save(model, "other.npz")
    rows = {
        row[0]: row[1:]
        for line in call("compare", learned, "other.npz").out.splitlines()
        if (row := line.split())
    }
    assert rows["tune_mask_prompt"] == ["no", "yes"]
    assert rows["tune_workers"] == ["2", "12000"]
    assert rows["seed"] == ["0", "20261121"]
    assert rows["tune_lr"] == ["0.0001", "0.3333"]


def test_models_that_were_not_trained(call: Call, corpus: Path) -> None:
    none = ("--pretrain-epochs", "0", "--tune-epochs", "0")
    call("train", "--corpus", corpus, *none, "--out", "m.npz")
    call("train", "--corpus", corpus, "--pretrain-epochs", "0", "--tune-epochs", "1", "--out", "one.npz")
    shown = call("compare", "m.npz", "one.npz")
    assert (shown.code, shown.err) == (0, "")
    assert "Pre-training" not in shown.out
    assert "epoch 1" in shown.out
    assert "no loss" not in call("compare", "m.npz", "m.npz").out


def test_by_name(call: Call, learned: Path, writer: Path) -> None:
    Path("data/models").mkdir(parents=True)
    shutil.copy(learned, "data/models/rain.npz")
    shutil.copy(writer, "data/models/snow.npz")
    [record] = call("compare", "--data-dir", "data", "rain", "latest", "--json").records
    assert [Path(file).stem for file in record["files"]] == ["rain", "snow"]


@pytest.mark.parametrize("width", [30, 60, 120])
def test_nothing_is_wider_than_the_terminal(
    call: Call, learned: Path, writer: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    for name, value in (("FORCE_COLOR", "1"), ("TERM", "xterm-256color"), ("COLUMNS", str(width))):
        monkeypatch.setenv(name, value)
    out = call("compare", learned, writer).out
    lines = Text.from_ansi(out).plain.splitlines()
    assert max(map(len, lines)) <= width
    assert "\x1b[33m" in out, "the second curve has a colour"
    monkeypatch.setenv("NO_COLOR", "1")
    monochrome = call("compare", learned, writer).out
    assert set(re.findall(r"\x1b\[([\d;]*)m", monochrome)) <= {"0", "1"}
    assert "×" in monochrome


def test_a_name_cannot_give_orders(call: Call, learned: Path) -> None:
    shutil.copy(learned, "[red]a.npz")
    shutil.copy(learned, "b\x1b[31m.npz")
    out = call("compare", "[red]a.npz", "b\x1b[31m.npz").out
    assert "[red]a" in out
    assert "\x1b" not in out


def test_a_pipe_that_knows_ascii_alone(learned: Path, writer: Path) -> None:
    shown = spawn("compare", learned, writer, env={"PYTHONIOENCODING": "ascii"})
    assert (shown.code, shown.err) == (0, "")
    assert "tune.loss" in shown.out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((), ("required", "FILE|NAME, FILE|NAME")),
        (("learned",), ("required", "FILE|NAME")),
        (("learned", "none.npz"), ("none.npz",)),
        (("learned", "notes.txt"), ("notes.txt", "not a whole")),
        (("learned", "learned", "learned"), ("unrecognized",)),
        (("learned", "learned", "--seed", "1"), ("--seed",)),
    ],
)
def test_what_makes_no_sense_is_refused(
    call: Call, learned: Path, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    Path("notes.txt").write_text("no weights", encoding="utf-8")
    given = [learned if argument == "learned" else argument for argument in arguments]
    assert_refused(call("compare", *given), 2, *parts)
