"""Dialogs that only tell something: the help, and that one has to wait."""

import re
from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Label, Static

from tinychat.tui.screens.dialogs import Dialog

_KEYS = 15
"""Columns of the keys in a help text."""


class WaitDialog(Dialog[None]):
    """Nothing can be done but wait, or quit; who opened it closes it."""

    TITLE_TEXT = "One moment"
    HINT = ""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def body(self) -> Iterator[Widget]:
        yield Label(self._text, markup=False)

    def action_leave(self) -> None:
        """Stay."""


class HelpDialog(Dialog[None]):
    """The keys of a screen, and what it shows."""

    TITLE_TEXT = "Help"

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def body(self) -> Iterator[Widget]:
        with VerticalScroll():
            yield Static(laid_out(self._text))


def laid_out(text: str) -> Group:
    """A help text, whose lines break where the screen does: what stands beside a key stays in its column."""
    parts: list[Text | Table] = []
    for block in text.split("\n\n"):
        parts += [Text()] * bool(parts)
        for line in block.replace("\n ", " ").splitlines():
            key, *about = re.split(" {2,}", line, maxsplit=1)
            if about:
                row = Table.grid(padding=(0, 2, 0, 0))
                row.add_column(width=_KEYS)
                row.add_row(Text(key), Text(" ".join(about[0].split())))
                parts.append(row)
            elif parts and isinstance(parts[-1], Text) and parts[-1]:
                parts[-1].append(f" {line}")
            else:
                parts.append(Text(line))
    return Group(*parts)
