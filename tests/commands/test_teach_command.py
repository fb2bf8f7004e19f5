"""`tinychat teach`, and /teach, /undo and /save in a conversation."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_runs import ANSWERS, Outcome, assert_refused, read_only

import tinychat
from tinychat.corpus import Turn, load_corpus
from tinychat.weights import load

Call = Callable[..., Outcome]
QUESTION, ANSWER = "Who barks?", "Dogs bark."


@pytest.fixture(scope="module")
def learned(kept_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file with a model that knows all three answers, and is so small that a lesson is short."""
    shape = {"n_layers": 1, "d_model": 32, "d_ff": 64, "head_dim": 32, "workers": 1}
    model = tinychat.train(kept_corpus, pretrain_epochs=20, tune_epochs=60, lr=0.01, **shape)
    assert [model.ask(question) for question in ANSWERS] == list(ANSWERS.values())
    yield from read_only(model.save(tmp_path_factory.mktemp("models") / "learned.npz"))


def test_a_model_is_taught_in_another_file(call: Call, learned: Path) -> None:
    done = call("teach", "--load", learned, QUESTION, ANSWER, "--out", "taught.npz")
    assert (done.code, done.out) == (0, "")
    assert "learnt in" in done.err
    assert "3 new words" in done.err
    assert "taught.npz" in done.err
    for question, answer in {**ANSWERS, QUESTION: ANSWER}.items():
        assert load(Path("taught.npz")).ask(question) == answer
    assert f"{QUESTION} {ANSWER}" in call("info", "taught.npz").out
    assert call("info", "taught.npz", "--json").records[0]["card"]["taught"] == [
        {"user": QUESTION, "assistant": ANSWER}
    ]


def test_without_another_place_the_file_is_replaced_and_events_are_json(call: Call, learned: Path) -> None:
    Path("own.npz").write_bytes(learned.read_bytes())
    done = call("teach", "--load", "own.npz", QUESTION, ANSWER, "--json")
    assert done.code == 0
    assert done.names[-1] == "lesson_done"
    assert set(done.names[:-1]) == {"lesson_checked"}
    assert load(Path("own.npz")).card.taught == [Turn(QUESTION, ANSWER)]


@pytest.mark.parametrize("name", ["chat.txt", "chat-more.TXT", "taught.jsonl"])
def test_what_was_taught_is_a_corpus(call: Call, learned: Path, name: str) -> None:
    call("teach", "--load", learned, QUESTION, ANSWER, "--out", "taught.npz")
    done = call("teach", "--load", "taught.npz", "--export", name)
    assert (done.code, done.out) == (0, "")
    assert load_corpus(name).dialogues == ((Turn(QUESTION, ANSWER),),)
    assert_refused(call("teach", "--load", "taught.npz", "--export", name), 2, "there already")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "say what to teach"),
        ([QUESTION], "say what to teach"),
        ([QUESTION, " "], "empty"),
        ([QUESTION, ANSWER, "--export", "chat.txt"], "leave the rest out"),
        (["--export", "chat.txt"], "not taught anything"),
        (["--export", "taught.txt"], "chat"),
        (["--export", "chat.md"], "chat"),
        ([QUESTION, ANSWER, "--corpus", "nowhere"], "nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Call, learned: Path, flags: list[str], words: str) -> None:
    assert_refused(call("teach", "--load", learned, *flags), 2, words)


def test_a_place_that_cannot_be_written_to_is_told_first(call: Call, learned: Path, nowhere: Path) -> None:
    done = call("teach", "--load", learned, QUESTION, ANSWER, "--out", nowhere / "taught.npz")
    assert_refused(done, 1, "cannot write")


def talk(call: Call, monkeypatch: pytest.MonkeyPatch, path: Path, *lines: str) -> Outcome:
    given = io.TextIOWrapper(io.BytesIO("\n".join(lines).encode()), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", given)
    return call("chat", "--load", path)


def test_teach_undo_and_save_in_a_conversation(
    call: Call, learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untaught = load(learned).ask(QUESTION)
    lines = (QUESTION, f"/teach {ANSWER}", "/save one.npz", "/undo", QUESTION, "/export talk.jsonl")
    done = talk(call, monkeypatch, learned, *lines)
    assert done.code == 0
    assert done.out.splitlines() == [untaught, ANSWER, untaught]
    assert "no longer taught: Who barks?" in done.err
    assert done.err.rstrip().endswith("was not saved; /save does that")
    assert load(Path("one.npz")).ask(QUESTION) == ANSWER
    [dialogue] = map(json.loads, Path("talk.jsonl").read_text(encoding="utf-8").splitlines())
    assert [message["content"] for message in dialogue["messages"]] == [QUESTION, ANSWER, QUESTION, untaught]


def test_save_writes_to_where_the_model_came_from(
    call: Call, learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("own.npz").write_bytes(learned.read_bytes())
    done = talk(call, monkeypatch, Path("own.npz"), QUESTION, f"/teach {ANSWER}", "/save")
    assert done.code == 0
    assert "not saved" not in done.err
    assert load(Path("own.npz")).card.taught == [Turn(QUESTION, ANSWER)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["/teach Dogs."], "nothing was asked yet"),
        (["/undo"], "nothing was taught"),
        ([QUESTION, "/teach"], "say the right answer to the last question: /teach ANSWER"),
    ],
)
def test_what_cannot_be_taught_is_told(
    call: Call, learned: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], words: str
) -> None:
    done = talk(call, monkeypatch, learned, *lines)
    assert done.code == 2
    assert words in done.err


def test_a_lost_corpus_is_told(
    call: Call, learned: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = load(learned)
    model.card.corpus_source = str(tmp_path / "gone")
    path = model.save("lost.npz")
    assert "more may be forgotten" in call("teach", "--load", path, QUESTION, ANSWER, "--out", "a.npz").err
    assert "more may be forgotten" in talk(call, monkeypatch, path, QUESTION, f"/teach {ANSWER}").err
    kept = load(learned).card.corpus_source
    found = call("teach", "--load", path, QUESTION, ANSWER, "--corpus", kept, "--out", "b.npz")
    assert (found.code, "forgotten" in found.err) == (0, False)
