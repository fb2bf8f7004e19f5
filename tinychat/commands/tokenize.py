"""`tinychat tokenize`: how a text splits into tokens."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper

from rich.cells import cell_len
from rich.text import Text

from tinychat.commands.recipe import library
from tinychat.commands.screen import console
from tinychat.corpus import load_corpus
from tinychat.corpus.bundled import DEFAULT
from tinychat.drawing.text import readable
from tinychat.errors import UsageError
from tinychat.presets import preset
from tinychat.tokenizer import Piece, Tokenizer
from tinychat.training.vocabulary import tokenizer_for
from tinychat.weights import read_summary
from tinychat.wording import counted

SEPARATOR = "|"
"""Between two tokens where there is no colour."""
_BACKGROUNDS = ("black on #9fd3e6", "black on #f0cf8e")
"""By turns: where one token ends, the colour changes."""


def run(args: argparse.Namespace) -> int:
    if "" in args.text:
        raise UsageError("the text is empty; type some")
    tokenizer = _tokenizer(args)
    screen = console()
    in_colour = screen.color_system is not None and not screen.no_color
    for text in args.text or _standard_input():
        pieces = tokenizer.pieces(text)
        spans = tokenizer.unknown_spans(text)
        if "json" in args:
            print(_as_json(text, pieces, spans))
            continue
        if spans:
            words = dict.fromkeys(readable(text[start:end]) for start, end in spans)
            print(f"tinychat: new to this tokenizer, read as <unk>: {', '.join(words)}", file=sys.stderr)
        if in_colour:
            unknown = {end for _, end in spans}
            for row in _rows(pieces, screen.width):
                screen.print(*_in_colour(row, unknown), sep="\n", soft_wrap=True)
        else:
            print(SEPARATOR.join(readable(piece.shown) for piece in pieces))
            print(*(piece.id for piece in pieces))
        print(_figures(len(pieces), len(text)))
    return 0


def _tokenizer(args: argparse.Namespace) -> Tokenizer:
    """That of saved weights, or one that is trained here. Raise UsageError for flags in contradiction."""
    if "load" in args:
        for flag in ("corpus", "tokenizer", "vocab_size"):
            if flag in args:
                raise UsageError(f"--load has its own tokenizer; leave out --{flag.replace('_', '-')}")
        return read_summary(library(args).find(args.load)).tokenizer
    given = {name: getattr(args, name) for name in ("tokenizer", "vocab_size") if name in args}
    recipe = preset("classic").changed({"tokenizer": "bpe", **given})
    corpus = load_corpus(getattr(args, "corpus", DEFAULT))
    for warning in corpus.warnings:
        print(f"tinychat: {warning}", file=sys.stderr)
    return tokenizer_for(corpus, recipe.tokenizer, recipe.vocab_size)


def _standard_input() -> Iterator[str]:
    """All of it as one text, line breaks as they are; nothing if it is empty."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="strict", newline="")
    try:
        text = sys.stdin.read()
    except UnicodeDecodeError:
        raise UsageError("standard input is not UTF-8 text; convert it first") from None
    if text:
        yield text


def _as_json(text: str, pieces: list[Piece], unknown: list[tuple[int, int]]) -> str:
    shown = [piece.shown for piece in pieces]
    ids = [piece.id for piece in pieces]
    counts = {"tokens": len(pieces), "characters": len(text)}
    return json.dumps({"text": text, **counts, "ids": ids, "pieces": shown, "unknown": unknown})


def _figures(n_tokens: int, n_characters: int) -> str:
    counts = f"{counted(n_tokens, 'token')}, {counted(n_characters, 'character')}"
    return f"{counts}, {n_characters / n_tokens:.2f} characters a token"


def _rows(pieces: list[Piece], width: int) -> Iterator[list[tuple[int, Piece]]]:
    """As many pieces as fit side by side, with their numbers, a space between them; at least one."""
    row: list[tuple[int, Piece]] = []
    used = 0
    for number, piece in enumerate(pieces):
        cells = _cells(piece) + 1
        if row and used + cells > width:
            yield row
            row, used = [], 0
        row.append((number, piece))
        used += cells
    if row:
        yield row


def _in_colour(row: Iterable[tuple[int, Piece]], unknown: set[int]) -> tuple[Text, Text]:
    """A line of pieces and a line of their ids beneath; never read as markup. Unknown ones are underlined."""
    above, beneath = Text(), Text()
    for number, piece in row:
        shown = readable(piece.shown)
        style = _BACKGROUNDS[number % len(_BACKGROUNDS)]
        is_unknown = piece.end in unknown and piece.end > piece.start
        above.append(shown, f"{style} underline" if is_unknown else style)
        above.append(" " * (_cells(piece) - cell_len(shown) + 1))
        beneath.append(f"{piece.id:<{_cells(piece)}} ", "dim")
    return above, beneath


def _cells(piece: Piece) -> int:
    """Columns that a piece and its id need."""
    return max(cell_len(readable(piece.shown)), len(str(piece.id)))
