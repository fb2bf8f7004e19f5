"""`tinychat tokenize`: how a text splits, plain and as JSON."""

import io
import json
import shutil
import sys
from pathlib import Path

import pytest
from cli_runs import FACTS, Call, Outcome, assert_refused, spawn

from tinychat.corpus import load_corpus
from tinychat.tokenizer import KINDS, BpeTokenizer, train_tokenizer
from tinychat.weights import load

ODD = "[bold]Rain[/bold] [/] 月🙂 don't\tfall: \x1b[31m </s>\n"


def given_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> io.BytesIO:
    stdin = io.BytesIO(content)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stdin, encoding="utf-8"))
    return stdin


# Plain


def test_a_bpe_of_the_bundled_corpus_without_any_flag(call: Call) -> None:
    tokenizer = BpeTokenizer.train(load_corpus("basics").texts())
    text = "Why is the sky blue?"
    ids = tokenizer.encode(text)
    split = "|".join(tokenizer.decode([index]) for index in ids)
    figures = f"{len(ids)} tokens, 20 characters, {20 / len(ids):.2f} characters a token"
    assert call("tokenize", text) == Outcome(0, f"{split}\n{' '.join(map(str, ids))}\n{figures}\n", "")
    assert len(ids) < 10


@pytest.mark.parametrize(
    ("kind", "split"),
    [
        ("word", "Rain| falls|,|<join>|sun|.|\\n"),
        ("char", "R|a|i|n| |f|a|l|l|s|,|s|u|n|.|\\n"),
        ("bpe", "Rain| falls|,|s|u|n|.|\\n"),
    ],
)
def test_every_kind_of_a_corpus(call: Call, corpus: Path, kind: str, split: str) -> None:
    shown = call("tokenize", "--corpus", corpus, "--tokenizer", kind, "Rain falls,sun.\n")
    assert shown.code == 0
    assert shown.out.splitlines()[0] == split
    ids = train_tokenizer(kind, load_corpus(corpus).texts()).encode("Rain falls,sun.\n")
    assert shown.out.splitlines()[1] == " ".join(map(str, ids))
    assert f"{split.count('|') + 1} tokens, 16 characters" in shown.out


def test_the_size_of_the_vocabulary(call: Call) -> None:
    Path("rain.txt").write_text("rain rain ain in in\n", encoding="utf-8")
    few = ("tokenize", "--corpus", "rain.txt", "--vocab-size")
    assert call(*few, "257", "rain").out.startswith("r|a|i|n\n114 97 105 110\n4 tokens, ")
    assert call(*few, "258", "rain").out.startswith("r|a|in\n114 97 257\n")
    assert call(*few, "260", "rain").out == "rain\n259\n1 token, 4 characters, 4.00 characters a token\n"


def test_the_tokenizer_of_a_saved_model(call: Call, learned: Path) -> None:
    ids = load(learned).tokenizer.encode("The sun melts the snow.")
    shown = call("tokenize", "--load", learned, "The sun melts the snow.")
    assert shown.out.splitlines()[:2] == ["The| sun| melts| the| snow|.", " ".join(map(str, ids))]


@pytest.mark.parametrize("name", ["rain", "latest"])
def test_by_name(call: Call, learned: Path, name: str) -> None:
    Path("data/models").mkdir(parents=True)
    shutil.copy(learned, "data/models/rain.npz")
    assert call("tokenize", "--data-dir", "data", "--load", name, "Rain falls").out.startswith(
        "Rain| falls\n"
    )


def test_several_texts_are_shown_one_after_the_other(call: Call) -> None:
    one, two = (call("tokenize", text).out for text in ("Rain", "Why is it?"))
    assert call("tokenize", "Rain", "Why is it?").out == one + two


def test_what_has_no_shape_is_an_escape(call: Call) -> None:
    shown = call("tokenize", "--tokenizer", "char", "a\n\t\x1b[31m\xa0\u202e\0 b")
    assert shown.out.startswith(r"a|\n|\t|\x1b|[|3|1|m|\xa0|\u202e|\x00| |b" + "\n")
    assert shown.err.isprintable() is False  # its line break alone
    assert "\x1b" not in shown.err


def test_parts_of_a_character_are_bytes(call: Call, corpus: Path) -> None:
    shown = call("tokenize", "--corpus", corpus, "é")
    assert shown.out.splitlines() == [
        r"\xc3|\xa9",
        "195 169",
        "2 tokens, 1 character, 0.50 characters a token",
    ]


def test_what_is_unknown_is_named_once_on_stderr(call: Call, corpus: Path) -> None:
    shown = call("tokenize", "--corpus", corpus, "--tokenizer", "word", "Rain [b] hail [b]")
    assert shown.err == "tinychat: new to this tokenizer, read as <unk>: [, b, ], hail\n"
    assert shown.out.startswith("Rain| [|")
    assert call("tokenize", "--corpus", corpus, "Rain [b] hail [b]").err == ""


# JSON


@pytest.mark.parametrize("kind", KINDS)
def test_json(call: Call, corpus: Path, kind: str) -> None:
    texts = ["Rain falls.", ODD]
    shown = call("tokenize", "--corpus", corpus, "--tokenizer", kind, "--json", *texts)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.isascii()
    tokenizer = train_tokenizer(kind, load_corpus(corpus).texts())
    for record, text in zip(shown.records, texts, strict=True):
        ids = tokenizer.encode(text)
        assert record == {
            "text": text,
            "tokens": len(ids),
            "characters": len(text),
            "ids": ids,
            "pieces": [piece.shown for piece in tokenizer.pieces(text)],
            "unknown": [list(span) for span in tokenizer.unknown_spans(text)],
        }


# Standard input


def test_standard_input_is_one_text_as_it_stands(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Rain falls.\r\n\r\nIt's\tblue \r 月🙂\n"
    given_input(monkeypatch, text.encode())
    [record] = call("tokenize", "--json").records
    assert record["text"] == text


def test_empty_input_ends(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    given_input(monkeypatch, b"")
    assert call("tokenize") == Outcome(0, "", "")


def test_a_text_on_the_command_line_leaves_standard_input_alone(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = given_input(monkeypatch, b"Snow")
    [record] = call("tokenize", "--json", "Rain").records
    assert record["text"] == "Rain"
    assert stdin.tell() == 0


def test_input_that_is_not_utf_8(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    given_input(monkeypatch, b"Gr\xf6\xdfe")
    assert_refused(call("tokenize"), 2, "UTF-8")


def test_a_pipe_in_another_encoding(corpus: Path) -> None:
    words = ("tokenize", "--corpus", corpus, "--tokenizer", "word")
    done = spawn(*words, input="Rain 月".encode(), env={"PYTHONIOENCODING": "cp1252"})
    assert done.code == 0
    assert done.out.splitlines()[0] == "Rain| ?"


def test_arguments_that_are_not_text(call: Call) -> None:
    """Bytes that are not UTF-8 come from the system as lone surrogates."""
    for kind in KINDS:
        shown = call("tokenize", "--tokenizer", kind, "Gr\udcf6ße")
        assert shown.code == 0
        assert json.loads(call("tokenize", "--json", "--tokenizer", kind, "a\udcf6").out)["text"] == "a\udcf6"


# What makes no sense


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--load", "MODEL", "--corpus", "basics"], ["--load", "--corpus"]),
        (["--load", "MODEL", "--tokenizer", "bpe"], ["--load", "--tokenizer"]),
        (["--load", "MODEL", "--vocab-size", "300"], ["--load", "--vocab-size"]),
        (["--tokenizer", "char", "--vocab-size", "300"], ["char", "leave out vocab_size"]),
        (["--tokenizer", "word", "--vocab-size", "300"], ["word", "leave out vocab_size"]),
        (["--vocab-size", "256"], ["257"]),
        (["--vocab-size", "0"], ["257"]),
        (["--vocab-size", "-1"], ["--vocab-size", "whole number"]),
        (["--vocab-size", "x"], ["--vocab-size", "whole number"]),
        (["--tokenizer", "words"], ["--tokenizer", "words", *KINDS]),
        (["--tokenizer"], ["--tokenizer"]),
        (["--load", "no.npz"], ["no.npz", "none yet"]),
        (["--corpus", "no.txt"], ["no.txt", "basics"]),
        (["--seed", "1"], ["--seed"]),
        ([""], ["empty"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_wrong_use(call: Call, learned: Path, arguments: list[str], parts: list[str]) -> None:
    filled = [str(learned) if argument == "MODEL" else argument for argument in arguments]
    assert_refused(call("tokenize", *filled, "Rain"), 2, *parts)


def test_warnings_of_the_corpus_are_told(call: Call) -> None:
    Path("talk.txt").write_text("User: Who shines?\nAssistant: The sun.\n", encoding="utf-8")
    shown = call("tokenize", "--corpus", "talk.txt", FACTS[0])
    assert shown.code == 0
    assert "chat.txt" in shown.err
