"""The dialog that writes a conversation to a file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from tinychat.corpus.dialogue import Turn
from tinychat.errors import TinychatError
from tinychat.generation.transcript import export
from tinychat.tui.screens.dialogs import Dialog


class ExportDialog(Dialog[Path]):
    """Asks for a name, writes the file, and answers with its path."""

    TITLE_TEXT = "Export the conversation"
    HINT = "Enter writes · Esc closes"

    def __init__(self, turns: Sequence[Turn], is_chat: bool) -> None:
        super().__init__()
        self._turns = list(turns)
        self._is_chat = is_chat

    def body(self) -> Iterator[Widget]:
        yield Label("A new file: .md is Markdown, .jsonl is JSON Lines, which can be learnt from")
        yield Input("conversation.md", select_on_focus=False)
        yield Static(id="message", markup=False)

    @on(Input.Submitted)
    def write(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(export(self._turns, event.value.strip(), self._is_chat))
        except TinychatError as error:
            self.complain(str(error))
