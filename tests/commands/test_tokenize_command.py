"""`tinychat tokenize`: how a text splits, in colour, plain and as JSON."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import FACTS, Outcome, assert_refused, spawn
from rich.text import Text

from tinychat.corpus import load_corpus
from tinychat.tokenizer import KINDS, BpeTokenizer, train_tokenizer
from tinychat.weights import load

Call = Callable[..., Outcome]
ODD = "[bold]Rain[/bold] [/] 月🙂 don't\tfall: \x1b[31m </s>\n"


@pytest.fixture
def in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a terminal of 256 colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "")
    monkeypatch.setenv("COLUMNS", "40")


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


# Colour


def rows_of(shown: Outcome) -> list[tuple[Text, Text]]:
    """The lines of pieces and of ids, without the figures."""
    lines = [Text.from_ansi(line) for line in shown.out.splitlines()[:-1]]
    return list(zip(lines[::2], lines[1::2], strict=True))


def coloured(line: Text) -> list[tuple[str, str, bool]]:
    """What has a background, with it, and whether it is underlined."""
    return [
        (line.plain[span.start : span.end], style.bgcolor.name, bool(style.underline))
        for span in line.spans
        if not isinstance(style := span.style, str) and style.bgcolor
    ]


@pytest.mark.usefixtures("in_colour")
@pytest.mark.parametrize("kind", KINDS)
def test_in_colour_every_token_stands_above_its_id(call: Call, corpus: Path, kind: str) -> None:
    text = "The sun melts snow: [bold]snow[/bold] is rain. [/] 月🙂 " + "Rain " * 10
    shown = call("tokenize", "--corpus", corpus, "--tokenizer", kind, text)
    assert shown.code == 0
    rows = rows_of(shown)
    assert len(rows) > 2
    tokenizer = train_tokenizer(kind, load_corpus(corpus).texts())
    pieces = tokenizer.pieces(text)
    found = [part for above, _ in rows for part in coloured(above)]
    assert [part for part, _, _ in found] == [piece.shown for piece in pieces]
    assert [int(index) for _, beneath in rows for index in beneath.plain.split()] == [p.id for p in pieces]
    first, second = found[0][1], found[1][1]
    assert first != second
    assert [colour for _, colour, _ in found] == [(first, second)[at % 2] for at in range(len(found))]
    unknown = [text[start:end] for start, end in tokenizer.unknown_spans(text)]
    assert [part.strip() for part, _, underlined in found if underlined] == unknown
    for above, beneath in rows:
        assert above.cell_len == beneath.cell_len <= 40
        starts = [beneath.plain.index(index) for index in beneath.plain.split()[:1]]
        assert starts == [0]


@pytest.mark.usefixtures("in_colour")
def test_ids_are_in_the_columns_of_their_pieces(call: Call, learned: Path) -> None:
    shown = call("tokenize", "--load", learned, "Rain falls 🙂 sun")
    [(above, beneath)] = rows_of(shown)
    ids = [str(index) for index in load(learned).tokenizer.encode("Rain falls 🙂 sun")]
    # " 🙂" is three columns wide and two characters long.
    assert above.plain == "Rain  falls  🙂  sun "
    assert beneath.plain == f"{ids[0]:<4} {ids[1]:<6} {ids[2]:<3} {ids[3]:<4} "
    assert shown.out.splitlines()[-1].startswith("4 tokens, 16 characters")


@pytest.mark.usefixtures("in_colour")
def test_a_text_gives_no_orders_to_the_terminal(call: Call) -> None:
    shown = call("tokenize", "--tokenizer", "char", "\x1b[5m\x1b]0;title\x07\x9b5m\r")
    rows = rows_of(shown)
    text = "".join(part for above, _ in rows for part, _, _ in coloured(above))
    assert text == r"\x1b[5m\x1b]0;title\x07\x9b5m\r"
    assert "\x1b[5m" not in shown.out
    assert not set("\x07\x9b\r") & set(shown.out)


@pytest.mark.usefixtures("in_colour")
def test_a_token_wider_than_the_terminal_is_whole(call: Call) -> None:
    Path("long.txt").write_text("x" * 100 + " y\n", encoding="utf-8")
    shown = call("tokenize", "--corpus", "long.txt", "--tokenizer", "word", "y " + "x" * 100 + " y")
    assert [above.plain.rstrip() for above, _ in rows_of(shown)] == ["y", " " + "x" * 100, " y"]


@pytest.mark.usefixtures("in_colour")
@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colour_where_none_is_wanted(
    call: Call, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert "\x1b" in call("tokenize", "Rain").out
    monkeypatch.setenv(name, value)
    without = call("tokenize", "Rain falls")
    assert "\x1b" not in without.out
    assert without.out.splitlines()[0].count("|") >= 1


@pytest.mark.usefixtures("in_colour")
def test_json_has_no_colour(call: Call) -> None:
    assert "\x1b" not in call("tokenize", "--json", "Rain falls").out


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
