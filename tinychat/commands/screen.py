"""A console for drawings, wherever standard output goes, and text that cannot give it orders."""

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


def readable(text: str) -> str:
    r"""What has no shape, as a line break, as an escape; so no text can give orders to the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def token(text: str) -> str:
    """A token in a drawing; a space at its ends, which could not be seen, as `␣`."""
    inner = text.strip(" ")
    start = len(text) - len(text.lstrip(" ")) if inner else len(text)
    return readable("␣" * start + inner + "␣" * (len(text) - start - len(inner)))


def percent(share: float) -> str:
    """In five columns."""
    return f"{share:5.1%}" if share < 0.9995 else " 100%"
