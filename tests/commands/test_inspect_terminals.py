"""`tinychat inspect` on terminals that are narrow, without colours, or without Unicode."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import Outcome, spawn
from rich.text import Text

import tinychat
from tinychat.inspection import attention_maps
from tinychat.weights import load

Call = Callable[..., Outcome]
ASKED = "What falls?"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`terminal(width, **variables)`: from here on, standard output is one of 256 colours."""

    def become(width: int, **variables: str) -> None:
        settings = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "", "COLUMNS": str(width)}
        for name, value in {**settings, **variables}.items():
            monkeypatch.setenv(name, value)

    return become


def plain(out: str) -> list[str]:
    """Lines without colours."""
    return Text.from_ansi(out).plain.splitlines()


VIEWS: dict[str, tuple[str, ...]] = {
    "alternatives": (ASKED,),
    "attention": (ASKED, "--attention"),
    "lens": (ASKED, "--lens"),
    "one layer": (ASKED, "--lens", "--layer", "1"),
    "embedding": ("--embedding",),
    "nearest": ("--nearest", "sun"),
}
every_view = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)


@every_view
@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_nothing_is_wider_than_the_terminal(
    call: Call, learned: Path, terminal: Callable[..., None], view: tuple[str, ...], width: int
) -> None:
    terminal(width)
    shown = call("inspect", "--load", learned, *view)
    assert (shown.code, shown.err) == (0, "")
    lines = plain(shown.out)
    assert len(lines) >= 10
    assert max(map(len, lines)) <= width


@every_view
@pytest.mark.parametrize("width", [0, 1, 9])
def test_a_terminal_that_is_hardly_there_is_no_error(
    call: Call, learned: Path, terminal: Callable[..., None], view: tuple[str, ...], width: int
) -> None:
    terminal(width)
    shown = call("inspect", "--load", learned, *view)
    assert (shown.code, shown.err) == (0, "")
    terminal(120)
    wide = call("inspect", "--load", learned, *view)
    assert (shown.out == wide.out) is (width == 0), "0 columns mean that nobody knows how many there are"


@every_view
def test_no_colour_is_no_colour(
    call: Call, learned: Path, terminal: Callable[..., None], view: tuple[str, ...]
) -> None:
    terminal(100, NO_COLOR="1")
    out = call("inspect", "--load", learned, *view).out
    colours = re.findall(r"\x1b\[([\d;]*)m", out)
    assert {part for codes in colours for part in codes.split(";")} <= {"", "0", "1", "2"}, "bold and dim"
    monochrome = plain(out)
    terminal(100)
    assert "\x1b[" in call("inspect", "--load", learned, *view).out or view == ("--embedding",)
    if "--attention" in view:
        assert any("█" in line for line in monochrome)


def test_colours_grow_with_the_weights(learned: Path) -> None:
    """The brighter the more, and no colour behind a token's own place."""
    env = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "100"}
    out = spawn("inspect", "--load", learned, ASKED, "--attention", env=env).out
    model = load(learned)
    weights = attention_maps(
        model, model.tokenizer.encode("User: What falls? Assistant: Rain falls.")
    ).weights
    assert "░" not in out
    rows = [line for line in out.splitlines() if "48;2;" in line]
    assert len(rows) == 10
    for t, row in enumerate(rows):
        cells = Text.from_ansi(row)
        reds = []
        for s in range(t + 1):
            colour = cells.get_style_at_offset(_console(), 16 + 2 * s).bgcolor
            assert colour is not None
            assert colour.triplet is not None
            reds.append(colour.triplet.red)
        expected = 38 + 217 * weights[-1, 0, t, : t + 1] ** 0.5
        np.testing.assert_allclose(reds, expected, atol=0.51)
        assert cells.get_style_at_offset(_console(), 16 + 2 * (t + 1)).bgcolor is None


def _console() -> Any:
    from rich.console import Console

    return Console()


def test_columns_that_do_not_fit_are_told(call: Call, learned: Path, terminal: Callable[..., None]) -> None:
    terminal(20)
    lines = plain(call("inspect", "--load", learned, ASKED, "--attention").out)
    assert "no room for the first 6 columns" in " ".join(line.strip() for line in lines)
    terminal(60)  # each of the four columns of the lens is 18 wide
    assert "no room for 2 layers more" in plain(call("inspect", "--load", learned, ASKED, "--lens").out)[-2]


def test_ascii_alone(learned: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii"}
    shown = spawn("inspect", "--load", learned, ASKED, "--attention", env=env)
    assert (shown.code, shown.err) == (0, "")
    assert "##" in shown.out
    assert "shades begin at . 2%" in shown.out
    assert "?" not in shown.out.replace("  4 ?", "").replace("4 ?", "")


def test_text_of_a_corpus_cannot_give_orders(call: Call, tmp_path: Path) -> None:
    """No markup, no escapes, no line breaks from the vocabulary."""
    corpus = tmp_path / "odd.txt"
    corpus.write_text("[bold]x[/bold] \x1b[31mred\x07 月 a\tb\n[/] [red]\n", encoding="utf-8")
    model = tinychat.train(corpus, tokenizer="char", pretrain_epochs=1)
    model.save("odd.npz")
    for view in (
        ("[bold]", "--answer", "[/] \x1b月"),
        ("--embedding",),
        ("--nearest", "月"),
        ("[", "--lens"),
    ):
        shown = call("inspect", "--load", "odd.npz", *view)
        assert shown.code == 0
        assert "\x1b" not in shown.out
        assert "\x07" not in shown.out
    assert "\\x1b" in call("inspect", "--load", "odd.npz", "[", "--answer", "\x1b").out
