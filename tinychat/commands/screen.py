"""A console for drawings, wherever standard output goes."""

import os

from rich.console import Console

_PIPE_WIDTH = 120
"""Columns where there is no terminal to say how many there are."""


def console() -> Console:
    """On standard output; nothing that is printed there is read as markup, or coloured unasked."""
    found = Console(markup=False, highlight=False, emoji=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _PIPE_WIDTH
    return found
