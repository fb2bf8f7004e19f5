"""The chat screen: a conversation, and a line to type in."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from tinychat.generation.reply import Reply
from tinychat.generation.session import ChatSession
from tinychat.model import Model
from tinychat.tui import format as fmt
from tinychat.tui.widgets.prompt import Prompt
from tinychat.tui.widgets.transcript import Transcript

PACE_S = 0.03
"""Seconds between two tokens: about as fast as one can follow them appear."""


class ChatScreen(Screen[None]):
    """Talks with a model."""

    CSS_PATH = "chat.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-normal")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", id="chat.stop"),
        Binding("ctrl+s", "app.save", "Save", id="chat.save"),
        Binding("ctrl+o", "app.load", "Load", id="chat.load"),
        Binding("ctrl+t", "app.train", "Train", id="chat.train"),
        Binding("ctrl+l", "clear", "Clear", id="chat.clear"),
        Binding("f1", "app.help", "Help", id="chat.help"),
        Binding("pageup", "scroll(-1)", "Page up", show=False, id="chat.pageup"),
        Binding("pagedown", "scroll(1)", "Page down", show=False, id="chat.pagedown"),
    ]

    def __init__(self, model: Model, path: Path, note: str = "") -> None:
        """`path` is where the model is kept, and what it is called after; `note` is said first."""
        super().__init__()
        self.model = model
        self.path = path
        self.is_answering = False
        self._session = ChatSession(model)
        self._stopped = False
        self._title = Static(self._title_text(), id="title", markup=False)
        self._transcript = Transcript([note] * bool(note) + _welcome(model))
        self._prompt = Prompt(
            "Ask something" if model.card.is_chat else "Begin a sentence; the model writes on"
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="column"):
            yield self._title
            yield self._transcript
            yield self._prompt
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self._prompt.focus()

    def show_path(self, path: Path) -> None:
        """The model is now kept in `path`."""
        self.path = path
        self._title.update(self._title_text())

    def _title_text(self) -> str:
        loss = self.model.card.final_loss
        figures = f"{self.path.stem} · {self.model.n_parameters:,} parameters"
        return figures if loss is None else f"{figures} · loss {fmt.loss(loss)}"

    @on(Input.Submitted)
    def ask(self) -> None:
        if self.is_answering:  # keep what was typed; it can be sent when the answer has ended
            return
        text = self._prompt.take()
        if not text:
            self.notify("Type a question first.", timeout=2)
            return
        reply = self._session.ask(text)
        self._transcript.add_question(text, reply.unknown_spans)
        for note in reply.notes:
            self._transcript.add_note(note)
        self._answer(reply)

    @work(exclusive=True)
    async def _answer(self, reply: Reply) -> None:
        """Show the answer token by token."""
        self.is_answering, self._stopped = True, False
        answer = self._transcript.add_answer()
        texts: Iterator[str] = iter(reply)
        try:
            # In a thread, so that a big model does not hold up the keyboard.
            while (text := await asyncio.to_thread(next, texts, None)) is not None and not self._stopped:
                answer.show(text)
                self._transcript.keep_end_in_view()
                await asyncio.sleep(PACE_S)
        finally:
            self.is_answering = False
        if not answer.is_attached:  # cleared away meanwhile
            return
        answer.show(reply.text or "(nothing)", done=True)
        if self._stopped:
            self._transcript.add_note("stopped")
        else:
            self._session.remember(reply)
        self._transcript.keep_end_in_view()

    def action_stop(self) -> None:
        self._stopped = True

    async def stop_answering(self) -> None:
        """Stop, and wait until the model is free for something else."""
        self._stopped = True
        while self.is_answering:
            await asyncio.sleep(PACE_S / 3)

    async def action_clear(self) -> None:
        """Forget the conversation, on the screen and in the model's context."""
        self._stopped = True
        self._session.clear()
        await self._transcript.remove_children()
        self._prompt.focus()

    def action_scroll(self, direction: int) -> None:
        self._transcript.scroll_relative(
            y=direction * max(1, self._transcript.size.height - 2), animate=False
        )


def _welcome(model: Model) -> list[str]:
    if not model.card.is_chat:
        return ["This model has read plain text only: it writes on where you stop."]
    if not model.card.examples:
        return []
    return ["It answers what it was trained on. Try:", *(f"  {question}" for question in model.card.examples)]
