"""`tinychat eval`: figures of a model on a corpus."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import Outcome, assert_refused

from tinychat.corpus import load_corpus
from tinychat.weights import load

Call = Callable[..., Outcome]
KEYS = {"loss", "perplexity", "accuracy", "exact", "dialogues"}


def test_json(call: Call, learned: Path, kept_corpus: Path) -> None:
    done = call("eval", "--load", learned, "--corpus", kept_corpus, "--json")
    assert (done.code, done.err) == (0, "")
    [found] = done.records
    assert set(found) == KEYS
    wanted = load(learned).evaluate(load_corpus(kept_corpus))
    assert found == {key: getattr(wanted, key) for key in KEYS}
    assert (found["exact"], found["dialogues"]) == (3, 3)
    assert found["perplexity"] == pytest.approx(math.exp(found["loss"]))
    assert 0 < found["accuracy"] <= 1


def test_plain(call: Call, learned: Path, kept_corpus: Path) -> None:
    done = call("eval", "--load", learned, "--corpus", kept_corpus)
    assert (done.code, done.err) == (0, "")
    wanted = load(learned).evaluate(load_corpus(kept_corpus))
    loss, perplexity, accuracy, exact = done.out.splitlines()
    assert loss.split()[:2] == ["loss", f"{wanted.loss:.4f}"]
    assert perplexity.split() == ["perplexity", f"{wanted.perplexity:.3f}"]
    assert accuracy.split()[:2] == ["accuracy", f"{wanted.accuracy:.1%}"]
    assert exact.split()[:4] == ["exact", "3", "of", "3"]


def test_an_answer_that_the_model_does_not_know(call: Call, learned: Path, corpus: Path) -> None:
    chat = corpus / "chat.txt"
    chat.write_text(chat.read_text(encoding="utf-8").replace("Snow melts.", "Rain falls."), encoding="utf-8")
    [found] = call("eval", "--load", learned, "--corpus", corpus, "--json").records
    assert (found["exact"], found["dialogues"]) == (2, 3)


def test_a_corpus_without_dialogues(call: Call, learned: Path, writer: Path, kept_corpus: Path) -> None:
    for model in (learned, writer):
        done = call("eval", "--load", model, "--corpus", kept_corpus / "pretraining.txt", "--json")
        assert (done.code, done.err) == (0, "")
        [found] = done.records
        assert (found["exact"], found["dialogues"]) == (0, 0)
        assert found["loss"] > 0
    plain = call("eval", "--load", writer, "--corpus", kept_corpus / "pretraining.txt")
    assert "0 of 0" in plain.out


def test_another_corpus_than_that_of_the_training(call: Call, learned: Path) -> None:
    Path("other.txt").write_text("Quite other words stand here.\nRain falls.\n", encoding="utf-8")
    [found] = call("eval", "--load", learned, "--corpus", "other.txt", "--json").records
    Path("known.txt").write_text("Rain falls from clouds.\n", encoding="utf-8")
    [known] = call("eval", "--load", learned, "--corpus", "known.txt", "--json").records
    assert found["loss"] > known["loss"]


def test_rows_that_were_cut_and_remarks_on_the_corpus_are_told(call: Call, learned: Path) -> None:
    Path("long.txt").write_text("Rain " * 200 + "\nUser: Who?\n" + "x" * 100_001 + "\n", encoding="utf-8")
    done = call("eval", "--load", learned, "--corpus", "long.txt", "--json")
    assert (done.code, len(done.records)) == (0, 1)
    notes = done.err.splitlines()
    assert all(note.startswith("tinychat: ") for note in notes)
    assert any("1 lines were cut" in note for note in notes)
    assert any("chat.txt" in note for note in notes)
    assert any("1 rows are longer" in note for note in notes)


@pytest.mark.parametrize("name", ["rain", "latest"])
def test_by_name(call: Call, learned: Path, kept_corpus: Path, name: str) -> None:
    Path("data/models").mkdir(parents=True)
    shutil.copy(learned, "data/models/rain.npz")
    done = call("eval", "--data-dir", "data", "--load", name, "--corpus", kept_corpus, "--json")
    assert done.records[0]["exact"] == 3


def test_no_such_model_or_corpus(call: Call, learned: Path, kept_corpus: Path) -> None:
    assert_refused(call("eval", "--load", "no.npz", "--corpus", kept_corpus), 2, "no.npz")
    assert_refused(call("eval", "--load", learned, "--corpus", "none"), 2, "none", "basics")
