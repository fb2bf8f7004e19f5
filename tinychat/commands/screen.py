"""What goes to a terminal, or to wherever standard output and standard error lead."""

import os
import sys
from shutil import get_terminal_size
from typing import TextIO

from rich.console import Console

from tinychat.drawing.text import readable

_PIPE_WIDTH = 120
"""Columns where there is no terminal to say how many there are."""


def console(stderr: bool = False) -> Console:
    """On standard output or error; nothing that is printed there is read as markup, or coloured unasked."""
    found = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    # Of no columns, as some programs say that they do not know how many there are, Rich draws none.
    if found.width < 1 or (not found.is_terminal and "COLUMNS" not in os.environ):
        found.width = get_terminal_size((_PIPE_WIDTH, 0)).columns
    return found


def note(text: str) -> None:
    """Tell the user something that is not the answer, in a line on standard error."""
    print(f"tinychat: {shown(text, sys.stderr)}", file=sys.stderr)


def shown(text: str, stream: TextIO | None = None) -> str:
    """Text of a model or a user for a stream, standard output if none is given: a terminal gets no orders
    from it, a pipe gets it as it is."""
    stream = stream or sys.stdout
    return "\n".join(map(readable, text.split("\n"))) if stream.isatty() else text
