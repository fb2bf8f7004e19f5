"""Corpora and weights that are not what they should be: one line, the right exit code, and nothing lost."""

import json
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from cli_runs import Outcome, assert_refused

from tinychat.weights import load

Call = Callable[..., Outcome]
EPOCHS = ("--pretrain-epochs", "1", "--tune-epochs", "1")

BAD_CORPORA: dict[str, tuple[str, bytes | None, tuple[str, ...]]] = {
    # name: (file, content, what the message must have besides the file)
    "missing": ("no.txt", None, ("basics",)),
    "missing, in a folder that is a file": ("regular/no.txt", None, ()),
    "empty": ("a.txt", b"", ("empty",)),
    "white space": ("a.txt", b" \n\t\r\n", ("empty",)),
    "only end marks": ("a.txt", b"</s>\n</s>\n", ("empty",)),
    "empty json": ("a.json", b"", ("empty",)),
    "an empty list": ("a.json", b"[]", ("empty",)),
    "only a header": ("a.csv", b"user,assistant\n", ("empty",)),
    "an empty chat": ("chat.txt", b"\n\n", ("empty",)),
    "Latin-1": ("a.txt", "Gr\u00f6\u00dfe\n".encode("latin-1"), ("UTF-8",)),
    "UTF-16": ("a.txt", "Rain falls.\n".encode("utf-16"), ("UTF-8",)),
    "bytes in json": ("a.json", b'["\xff\xfe"]', ("UTF-8",)),
    "bytes in a chat": ("chat.txt", b"User: \xff\nAssistant: x\n", ("UTF-8",)),
    "another format": ("a.pdf", b"%PDF", (".txt", ".csv")),
    "no suffix": ("corpus", b"Rain falls.\n", (".txt",)),
    "json, cut short": ("a.json", b'["Rain falls.",\n "Snow', ("line 2",)),
    "no json": ("a.json", b"Rain falls.", ("line 1",)),
    "json, no list": ("a.json", b'{"facts": []}', ("list",)),
    "json, a number": ("a.json", b"[3]", ("item 1",)),
    "json, nested deeply": ("a.json", b"[" * 100_000, ("deeply",)),
    "json, a number of 5000 digits": ("a.json", b"[" + b"1" * 5000 + b"]", ()),
    "json, half a dialogue": ("a.json", b'[{"user": "Who?"}]', ("item 1", "assistant")),
    "jsonl, second line": ("a.jsonl", b'"Rain falls."\n{"user": }\n', ("line 2",)),
    "jsonl, null": ("a.jsonl", b"null\n", ("line 1",)),
    "csv, other columns": ("a.csv", b"a,b\n1,2\n", ("user,assistant",)),
    "csv, a quote that is not closed": ("a.csv", b'text\n"Rain\n', ()),
    "csv, a column short": ("a.csv", b"user,assistant\nWho?\n", ("line 2",)),
    "csv, a huge field": ("a.csv", b"text\n" + b"x" * 200_000 + b"\n", ()),
    "a question without an answer": ("chat.txt", b"User: Who?\n", ("line 1", "Assistant:")),
    "an answer without a question": ("chat.txt", b"Assistant: I.\n", ("line 1", "User:")),
    "another speaker": ("chat.txt", b"User: Who?\nRobot: I.\n", ("line 2",)),
    "nothing said": ("chat.txt", b"User: Who?\nAssistant:\n", ("line 2",)),
    "an empty folder": ("folder/", None, ("pretraining.*", "chat.*")),
    "a folder of other files": ("folder/notes.txt", b"Rain falls.\n", ("pretraining.*", "chat.*")),
    "a folder in the place of a file": ("folder/pretraining.txt/", None, ()),
}


@pytest.fixture(params=BAD_CORPORA)
def bad_corpus(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    """Path to give as --corpus, and what the message must have."""
    (tmp_path / "regular").write_bytes(b"")
    name, content, parts = BAD_CORPORA[request.param]
    path = tmp_path / name
    if content is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    elif name.endswith("/"):
        path.mkdir(parents=True)
    given = tmp_path / "folder" if name.startswith("folder/") else path
    return given, (str(given), *parts)


def test_bad_corpus(call: Call, bad_corpus: tuple[Path, tuple[str, ...]], learned: Path) -> None:
    path, parts = bad_corpus
    Path("m.npz").write_bytes(b"what was there before")
    for arguments in (
        ("train", "--corpus", path, *EPOCHS, "--out", "m.npz"),
        ("train", "--corpus", path, *EPOCHS, "--out", "m.npz", "--json"),
        ("eval", "--load", learned, "--corpus", path),
    ):
        assert_refused(call(*arguments), 2, *parts)
    assert Path("m.npz").read_bytes() == b"what was there before"


def test_a_huge_line_is_cut_and_told(call: Call) -> None:
    Path("huge.txt").write_text("Snow is frozen rain.\n" + "Rain falls. " * 100_000, encoding="utf-8")
    done = call("train", "--corpus", "huge.txt", *EPOCHS, "--out", "m.npz")
    assert done.code == 0
    notes = [line for line in done.err.splitlines() if line.startswith("tinychat: ")]
    assert "huge.txt: 1 line had to be cut at 100,000 characters" in notes[0]
    assert "1 row had to be cut at the context" in notes[1]


def test_a_huge_word(call: Call) -> None:
    Path("huge.txt").write_text("x" * 1_000_000 + "\nRain falls.\n", encoding="utf-8")
    assert call("train", "--corpus", "huge.txt", *EPOCHS, "--out", "m.npz").code == 0
    assert call("ask", "--load", "m.npz", "x" * 1_000_000).code == 0


def test_a_chat_in_a_file_of_facts_is_told(call: Call) -> None:
    Path("talk.txt").write_text("User: Who shines?\nAssistant: The sun.\n", encoding="utf-8")
    done = call("train", "--corpus", "talk.txt", *EPOCHS, "--out", "m.npz", "--json")
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert "chat.txt" in done.err


def test_line_ends_and_byte_order_marks_are_no_matter(call: Call) -> None:
    Path("a.txt").write_bytes(b"Rain falls.\nSnow melts.\n")
    Path("b.txt").write_bytes(b"\xef\xbb\xbfRain falls.\r\nSnow melts.\r\n")
    for name in "ab":
        assert call("train", "--corpus", f"{name}.txt", *EPOCHS, "--out", f"{name}.npz").code == 0
    assert load("a.npz").card.corpus_fingerprint == load("b.npz").card.corpus_fingerprint


# Weights


def with_metadata(path: Path, **changes: object) -> bytes:
    """The file with other values in its description."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
    metadata = {**json.loads(str(arrays["metadata"])), **changes}
    np.savez("changed.npz", **{**arrays, "metadata": np.array(json.dumps(metadata))})
    return Path("changed.npz").read_bytes()


def other_npz() -> bytes:
    np.savez("other.npz", a=np.ones(3))
    return Path("other.npz").read_bytes()


def pickled_npz() -> bytes:
    np.savez("pickled.npz", metadata=np.array([{"format": "tinychat"}], dtype=object))
    return Path("pickled.npz").read_bytes()


def zipped_text() -> bytes:
    with zipfile.ZipFile("text.zip", "w") as archive:
        archive.writestr("hello.txt", "hello")
    return Path("text.zip").read_bytes()


def one_byte_flipped(path: Path) -> bytes:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF  # amid a parameter
    return bytes(content)


BAD_WEIGHTS: dict[str, Callable[[Path], bytes]] = {
    "empty": lambda _: b"",
    "text": lambda _: b"Rain falls from clouds.\n",
    "zeros": lambda _: bytes(10_000),
    "first ten bytes": lambda path: path.read_bytes()[:10],
    "first half": lambda path: path.read_bytes()[: path.stat().st_size // 2],
    "all but the last byte": lambda path: path.read_bytes()[:-1],
    "a plain array": lambda _: b"\x93NUMPY\x01\x00",
    "zip of text": lambda _: zipped_text(),
    "npz of something else": lambda _: other_npz(),
    "npz with a pickle": lambda _: pickled_npz(),
    "version 3": lambda path: with_metadata(path, version=3),
    "no version": lambda path: with_metadata(path, version=None),
    "another format": lambda path: with_metadata(path, format="other"),
    "no config": lambda path: with_metadata(path, config=None),
    "another config": lambda path: with_metadata(path, config={"vocab_size": 7}),
}
MODEL_COMMANDS: dict[str, tuple[str, ...]] = {
    "ask": ("ask", "What falls?", "--load"),
    "chat": ("chat", "--load"),
    "eval": ("eval", "--corpus", "basics", "--load"),
    "info": ("info",),
    "info --json": ("info", "--json"),
    "tokenize": ("tokenize", "What falls?", "--load"),
    "resume": ("train", "--resume"),
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *product(("ask", "info", "resume"), BAD_WEIGHTS),  # for a model, its summary, and its optimiser
        *product(("chat", "eval", "info --json", "tokenize"), ("text", "npz with a pickle", "version 3")),
    ],
)
def test_bad_weights(call: Call, name: str, kind: str, learned: Path) -> None:
    content = BAD_WEIGHTS[kind](learned)
    Path("bad.npz").write_bytes(content)
    refused = call(*MODEL_COMMANDS[name], "bad.npz")
    assert_refused(refused, 2, "bad.npz")
    assert Path("bad.npz").read_bytes() == content
    if kind == "version 3":
        assert "version 3" in refused.err
        assert "version 2" in refused.err


@pytest.mark.parametrize("name", ["ask", "eval", "resume"])
def test_damaged_parameters(call: Call, name: str, learned: Path) -> None:
    Path("bad.npz").write_bytes(one_byte_flipped(learned))
    assert_refused(call(*MODEL_COMMANDS[name], "bad.npz"), 2, "bad.npz")


@pytest.mark.parametrize("name", MODEL_COMMANDS)
@pytest.mark.parametrize("given", ["no.npz", "folder", "", "regular/no.npz", "latest"])
def test_missing_weights(call: Call, name: str, given: str) -> None:
    Path("folder").mkdir()
    Path("regular").write_bytes(b"")
    assert_refused(call(*MODEL_COMMANDS[name], given), 2, repr(given), "none yet")


@pytest.mark.parametrize("name", MODEL_COMMANDS)
def test_a_name_longer_than_any_file_has(call: Call, name: str) -> None:
    assert_refused(call(*MODEL_COMMANDS[name], "x" * 5000), 2)
