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
    assert any("1 line had to be cut" in note for note in notes)
    assert any("chat.txt" in note for note in notes)
    assert any("1 row had to be cut" in note for note in notes)


@pytest.mark.parametrize("name", ["rain", "latest"])
def test_by_name(call: Call, learned: Path, kept_corpus: Path, name: str) -> None:
    Path("data/models").mkdir(parents=True)
    shutil.copy(learned, "data/models/rain.npz")
    done = call("eval", "--data-dir", "data", "--load", name, "--corpus", kept_corpus, "--json")
    assert done.records[0]["exact"] == 3


def test_no_such_model_or_corpus(call: Call, learned: Path, kept_corpus: Path) -> None:
    assert_refused(call("eval", "--load", "no.npz", "--corpus", kept_corpus), 2, "no.npz")
    assert_refused(call("eval", "--load", learned, "--corpus", "none"), 2, "none", "basics")


# Held-out questions


@pytest.fixture
def measured(corpus: Path) -> Path:
    """The corpus with questions that were not learnt: three known ones, two unknown ones."""
    (corpus / "unknown.txt").write_text("User: Who sings?\nAssistant: No idea.\n", encoding="utf-8")
    held_out = (
        "User: Then what falls?\nAssistant: Rain falls.\n\n"
        "User: Then what melts?\nAssistant: Snow melts.\n\n"
        "User: Who shines then?\nAssistant: The sun.\n\n"
        "User: Who sings there?\nUser: Who sings now?\nAssistant: No idea.\n"
    )
    (corpus / "heldout.txt").write_text(held_out, encoding="utf-8")
    return corpus


HELD_OUT = {"known", "right", "wrong", "false_declines", "unknown", "honest_declines", "misspelt_right"}


def test_held_out_figures_of_a_model(call: Call, learned: Path, measured: Path) -> None:
    """Each is counted here anew, question by question."""
    done = call("eval", "--load", learned, "--corpus", measured, "--json")
    assert (done.code, done.err) == (0, "")
    [found] = done.records
    assert set(found) == KEYS | {"held_out"}
    model = load(learned)
    asked = [(dialogue[0].user, dialogue[0].assistant) for dialogue in load_corpus(measured).held_out]
    answers = {question: model.ask(question) for question, _ in asked}
    known = [(question, right) for question, right in asked if right != "No idea."]
    right = sum(answers[question] == wanted for question, wanted in known)
    assert set(found["held_out"]) == HELD_OUT
    misspelt = found["held_out"].pop("misspelt_right")
    assert 0 <= misspelt <= 3
    assert found["held_out"] == {
        "known": 3,
        "right": right,
        "wrong": 3 - right,
        "false_declines": 0,
        "unknown": 2,
        "honest_declines": 0,
    }
    assert (found["exact"], found["dialogues"]) == (
        3,
        4,
    )  # of those to learn; one of them is new to the model


def test_held_out_figures_in_words(call: Call, learned: Path, measured: Path) -> None:
    [found] = call("eval", "--load", learned, "--corpus", measured, "--json").records
    lines = call("eval", "--load", learned, "--corpus", measured).out.splitlines()
    start = lines.index("held out, never learnt:")
    assert start == 4
    held_out = found["held_out"]
    wanted = [
        ("right", held_out["right"], 3),
        ("wrong", held_out["wrong"], 3),
        ("false", held_out["false_declines"], 3),
        ("misspelt", held_out["misspelt_right"], 3),
        ("honest", held_out["honest_declines"], 2),
    ]
    assert [line.split()[:5] for line in lines[start + 1 :]] == [
        [name, str(part), "of", str(whole), f"({part / whole:.1%})"] for name, part, whole in wanted
    ]


def test_a_model_that_declines_everything(call: Call, measured: Path) -> None:
    asked = [dialogue[0].user for dialogue in load_corpus(measured).held_out]
    chat = "\n\n".join(f"User: {question}\nAssistant: No idea." for question in asked)
    Path("shrug").mkdir()
    Path("shrug/chat.txt").write_text(chat, encoding="utf-8")
    flags = ("--n-layers", "1", "--d-model", "32", "--d-ff", "32", "--lr", "0.01", "--epochs", "30")
    assert call("train", "--corpus", "shrug", *flags, "--out", "shrug.npz").code == 0
    [found] = call("eval", "--load", "shrug.npz", "--corpus", measured, "--json").records
    assert found["held_out"] == {
        "known": 3,
        "right": 0,
        "wrong": 0,
        "false_declines": 3,
        "unknown": 2,
        "honest_declines": 2,
        "misspelt_right": 0,
    }


def test_nothing_held_out_is_not_told(call: Call, learned: Path, kept_corpus: Path) -> None:
    assert "held out" not in call("eval", "--load", learned, "--corpus", kept_corpus).out
    assert call("eval", "--load", learned, "--corpus", kept_corpus, "--json").records[0].keys() == KEYS


# The look-up


def test_lookup_as_json(call: Call, measured: Path) -> None:
    """Every known question has more words in common with its own than with another."""
    done = call("eval", "--lookup", "--corpus", measured, "--json")
    assert (done.code, done.err) == (0, "")
    [found] = done.records
    assert set(found) == {"held_out"}
    misspelt = found["held_out"].pop("misspelt_right")
    assert 0 <= misspelt <= 3
    assert found["held_out"] == {
        "known": 3,
        "right": 3,
        "wrong": 0,
        "false_declines": 0,
        "unknown": 2,
        "honest_declines": 2,
    }


def test_lookup_counts_what_it_gets_wrong(call: Call, measured: Path) -> None:
    held_out = measured / "heldout.txt"
    text = held_out.read_text(encoding="utf-8")
    text = text.replace("Then what falls?", "Who melts?").replace("Then what melts?", "Who sings too?")
    held_out.write_text(text.replace("Who sings now?", "What shines now?"), encoding="utf-8")
    [found] = call("eval", "--lookup", "--corpus", measured, "--json").records
    figures = {
        name: found["held_out"][name] for name in ("right", "wrong", "false_declines", "honest_declines")
    }
    assert figures == {"right": 1, "wrong": 1, "false_declines": 1, "honest_declines": 1}


def test_lookup_in_words(call: Call, measured: Path) -> None:
    first, *lines = call("eval", "--lookup", "--corpus", measured).out.splitlines()
    assert first == "held out, never learnt:"
    assert [line.split()[0] for line in lines] == ["right", "wrong", "false", "misspelt", "honest"]
    assert lines[0] == "right       3 of 3 (100.0%) known questions word for word"
    assert lines[4] == "honest      2 of 2 (100.0%) unknown questions by a don't-know"


def test_lookup_needs_no_model_and_a_model_no_lookup(call: Call, learned: Path, measured: Path) -> None:
    both = call("eval", "--lookup", "--load", learned, "--corpus", measured)
    for done in (both, call("eval", "--corpus", measured)):
        assert_refused(done, 2, "--load", "--lookup")


def test_lookup_needs_dialogues_and_held_out_ones(call: Call, corpus: Path, measured: Path) -> None:
    assert_refused(call("eval", "--lookup", "--corpus", measured / "pretraining.txt"), 2, "heldout")
    (measured / "heldout.txt").unlink()
    assert_refused(call("eval", "--lookup", "--corpus", corpus), 2, "weather", "heldout")
