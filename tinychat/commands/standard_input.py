"""Standard input as lines of text, whatever encoding the system takes it for."""

import sys
from collections.abc import Iterator
from io import TextIOWrapper

from tinychat.errors import UsageError


def lines() -> Iterator[str]:
    """One after the other, with nothing around them. Raise UsageError if they are not UTF-8."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict")
    try:
        # Not by iteration, which would read ahead.
        while line := sys.stdin.readline():
            yield line.strip()
    except UnicodeDecodeError:
        raise UsageError("standard input is not UTF-8 text; convert it first") from None
