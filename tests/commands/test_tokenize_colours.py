"""`tinychat tokenize` at a terminal: tokens in colours, each above its id."""

from pathlib import Path

import pytest
from cli_runs import Call, Outcome
from rich.text import Text

from tinychat.corpus import load_corpus
from tinychat.tokenizer import KINDS, train_tokenizer
from tinychat.weights import load


@pytest.fixture
def in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a terminal of 256 colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "")
    monkeypatch.setenv("COLUMNS", "40")


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
