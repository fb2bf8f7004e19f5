"""The dialog that writes something to a new file."""

from collections.abc import Callable, Iterator
from pathlib import Path

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from tinychat.errors import TinychatError
from tinychat.tui.screens.dialogs import Dialog


class ExportDialog(Dialog[Path]):
    """Asks for a name, writes the file, and answers with its path."""

    HINT = "Enter writes · Esc closes"

    def __init__(self, title: str, about: str, name: str, write: Callable[[str], Path]) -> None:
        """`name` is proposed; `write` raises TinychatError for one that will not do."""
        super().__init__()
        self.TITLE_TEXT = title
        self._about, self._name, self._write = about, name, write

    def body(self) -> Iterator[Widget]:
        yield Label(self._about)
        yield Input(self._name, select_on_focus=False)
        yield Static(id="message", markup=False)

    @on(Input.Submitted)
    def write(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(self._write(event.value.strip()))
        except TinychatError as error:
            self.complain(str(error))
