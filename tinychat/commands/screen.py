"""What goes to a terminal, or to wherever standard output and standard error lead."""

import os
import sys
from typing import TextIO

from rich.console import Console

from tinychat.drawing.text import readable

_PIPE_WIDTH = 120
"""Columns where there is no terminal to say how many there are."""


def console() -> Console:
    """On standard output; nothing that is printed there is read as markup, or coloured unasked."""
    found = Console(markup=False, highlight=False, emoji=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _PIPE_WIDTH
    return found


def note(text: str) -> None:
    """Tell the user something that is not the answer, in a line on standard error."""
    print(f"tinychat: {shown(text, sys.stderr)}", file=sys.stderr)


def shown(text: str, stream: TextIO | None = None) -> str:
    """Text of a model or a user for a stream, standard output if none is given: a terminal gets no orders
    from it, a pipe gets it as it is."""
    stream = stream or sys.stdout
    return "\n".join(map(readable, text.split("\n"))) if stream.isatty() else text
