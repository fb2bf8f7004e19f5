"""`tinychat train --resume`: what it goes on with, and what it refuses; interruptions are made elsewhere."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cli_runs import Outcome, assert_refused, bits, epochs_of

from tinychat.corpus import load_corpus
from tinychat.presets import preset
from tinychat.training.events import EpochDone
from tinychat.training.run import TrainingRun
from tinychat.weights import load, save

Call = Callable[..., Outcome]


@pytest.fixture
def begun(corpus: Path) -> Path:
    """A file with a run that has done the first of its two epochs of pre-training, and no tuning."""
    run = TrainingRun.start(load_corpus(corpus), preset("classic"), 4, pretrain_epochs=2, tune_epochs=1)
    for event in run.run():
        if isinstance(event, EpochDone):
            break
    return save(run.model, "begun.npz")


def finish(call: Call, corpus: Path) -> Path:
    epochs = ("--pretrain-epochs", "2", "--tune-epochs", "1", "--seed", "4")
    assert call("train", "--corpus", corpus, *epochs, "--out", "whole.npz").code == 0
    return Path("whole.npz")


def test_it_goes_on_in_the_same_file_to_the_same_bits(call: Call, corpus: Path, begun: Path) -> None:
    assert epochs_of(begun) == {"pretrain": 1, "tune": 0}
    done = call("train", "--resume", begun, "--json")
    assert (done.code, done.err) == (0, "")
    epochs = [(r["phase"], r["epoch"]) for r in done.records if r["event"] == "epoch_done"]
    assert epochs == [("pretrain", 2), ("tune", 1)]
    assert bits(begun) == bits(finish(call, corpus))


def test_with_out_the_old_file_stays(call: Call, corpus: Path, begun: Path) -> None:
    before = begun.read_bytes()
    assert call("train", "--resume", begun, "--out", "other.npz").code == 0
    assert begun.read_bytes() == before
    assert bits(Path("other.npz")) == bits(finish(call, corpus))


@pytest.mark.parametrize("name", ["rain", "rain.npz", "latest"])
def test_by_name(call: Call, begun: Path, name: str) -> None:
    folder = Path("data/models")
    folder.mkdir(parents=True)
    begun.rename(folder / "rain.npz")
    assert call("train", "--data-dir", "data", "--resume", name).code == 0
    assert epochs_of(folder / "rain.npz") == {"pretrain": 2, "tune": 1}


def test_before_the_command(call: Call, begun: Path) -> None:
    assert call("--resume", begun, "train").code == 0
    assert epochs_of(begun) == {"pretrain": 2, "tune": 1}


@pytest.mark.parametrize(
    "flags",
    [("--seed", "4"), ("--pretrain-epochs", "2"), ("--tune-epochs", "1"), ("--preset", "classic")],
    ids=lambda flags: flags[0],
)
def test_what_was_settled_cannot_be_given_again(call: Call, begun: Path, flags: tuple[str, str]) -> None:
    before = begun.read_bytes()
    assert_refused(call("train", "--resume", begun, *flags), 2, "--resume", flags[0])
    assert_refused(call(*flags, "train", "--resume", begun), 2, "--resume", flags[0])
    assert begun.read_bytes() == before


def test_a_finished_run_has_nothing_left_to_do(call: Call, corpus: Path) -> None:
    whole = finish(call, corpus)
    before = bits(whole)
    done = call("train", "--resume", whole, "--json")
    assert (done.code, done.err) == (0, "")
    assert "epoch_done" not in done.names
    assert done.names[-1] == "finished"
    assert bits(whole) == before


def test_the_corpus_has_changed(call: Call, corpus: Path, begun: Path) -> None:
    before = begun.read_bytes()
    with (corpus / "chat.txt").open("a", encoding="utf-8") as file:
        file.write("\nUser: Who sings?\nAssistant: Birds.\n")
    assert_refused(call("train", "--resume", begun), 2, "corpus", "weather", "train anew")
    assert begun.read_bytes() == before


def test_the_corpus_is_gone(call: Call, corpus: Path, begun: Path) -> None:
    before = begun.read_bytes()
    shutil.rmtree(corpus)
    assert_refused(call("train", "--resume", begun), 2, str(corpus), "--corpus")
    assert begun.read_bytes() == before


def test_the_corpus_was_moved(call: Call, corpus: Path, begun: Path) -> None:
    whole = bits(finish(call, corpus))
    corpus.rename("elsewhere")
    assert call("train", "--resume", begun, "--corpus", "elsewhere").code == 0
    assert bits(begun) == whole


def test_another_corpus_is_refused(call: Call, begun: Path) -> None:
    before = begun.read_bytes()
    assert_refused(call("train", "--resume", begun, "--corpus", "basics"), 2, "basics")
    assert begun.read_bytes() == before


def test_the_corpus_is_found_from_another_folder(
    call: Call, begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when its path was given relative to the folder of then."""
    call("train", "--corpus", "weather", "--pretrain-epochs=1", "--tune-epochs=0", "--out", "relative.npz")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert call("train", "--resume", tmp_path / "begun.npz").code == 0
    assert call("train", "--resume", tmp_path / "relative.npz").code == 0


def test_weights_without_an_optimiser(call: Call, begun: Path) -> None:
    save(replace(load(begun), optimizer=None), "bare.npz")
    before = Path("bare.npz").read_bytes()
    assert_refused(call("train", "--resume", "bare.npz"), 2, "optimiser", "train anew")
    assert Path("bare.npz").read_bytes() == before


def test_no_such_file(call: Call) -> None:
    assert_refused(call("train", "--resume", "nothing.npz"), 2, "nothing.npz")
    assert not Path("nothing.npz").exists()


def test_a_place_for_the_result_that_cannot_be_written(call: Call, begun: Path, nowhere: Path) -> None:
    before = begun.read_bytes()
    done = call("train", "--resume", begun, "--out", nowhere / "m.npz", "--json")
    assert_refused(done, 1, str(nowhere / "m.npz"))
    assert begun.read_bytes() == before
