"""The chat screen: a conversation, and a line to type in."""

import asyncio
from collections.abc import Iterator
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

    def __init__(self, model: Model, name: str, note: str = "") -> None:
        """`name` is what the model is called; `note` is said first."""
        super().__init__()
        self.model = model
        self.model_name = name
        self._session = ChatSession(model)
        self._note = note
        self._stopped = False
        self.is_answering = False

    def compose(self) -> ComposeResult:
        with Vertical(id="column"):
            yield Static(id="title", markup=False)
            yield Transcript()
            is_chat = self.model.card.is_chat
            yield Prompt("Ask something" if is_chat else "Begin a sentence; the model writes on")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self.show_name(self.model_name)
        self._welcome()
        self.query_one(Prompt).focus()

    def show_name(self, name: str) -> None:
        """The model is now called `name`."""
        self.model_name = name
        loss = self.model.card.final_loss
        figures = f"{self.model.n_parameters:,} parameters"
        self.query_one("#title", Static).update(
            f"{name} · {figures}" + ("" if loss is None else f" · loss {fmt.loss(loss)}")
        )

    def _welcome(self) -> None:
        transcript = self.query_one(Transcript)
        if self._note:
            transcript.add_note(self._note)
        card = self.model.card
        if not card.is_chat:
            transcript.add_note("This model has read plain text only: it writes on where you stop.")
        elif card.examples:
            transcript.add_note(
                "It answers what it was trained on. Try:\n" + "\n".join(f"  {q}" for q in card.examples)
            )

    @on(Input.Submitted)
    def ask(self) -> None:
        if self.is_answering:  # keep what was typed; it can be sent when the answer has ended
            return
        text = self.query_one(Prompt).take()
        if not text:
            self.notify("Type a question first.", timeout=2)
            return
        transcript = self.query_one(Transcript)
        reply = self._session.ask(text)
        transcript.add_question(text, reply.unknown_spans)
        if reply.unknown_spans:
            transcript.add_note("underlined: new to this model, which reads <unk> there")
        if reply.n_dropped:
            transcript.add_note(
                f"longer than the model's context of {self.model.config.max_seq_len} tokens: "
                f"the first {reply.n_dropped} were dropped"
            )
        self._answer(reply)

    @work(exclusive=True)
    async def _answer(self, reply: Reply) -> None:
        """Show the answer token by token."""
        self.is_answering, self._stopped = True, False
        transcript = self.query_one(Transcript)
        answer = transcript.add_answer()
        texts: Iterator[str] = iter(reply)
        try:
            # In a thread, so that a big model does not hold up the keyboard.
            while (text := await asyncio.to_thread(next, texts, None)) is not None and not self._stopped:
                answer.show(text)
                transcript.keep_end_in_view()
                await asyncio.sleep(PACE_S)
        finally:
            self.is_answering = False
        answer.show(reply.text or "(nothing)", done=True)
        if self._stopped:
            transcript.add_note("stopped")
        else:
            self._session.remember(reply)
        transcript.keep_end_in_view()

    def action_stop(self) -> None:
        self._stopped = True

    def action_clear(self) -> None:
        """Forget the conversation, on the screen and in the model's context."""
        self._stopped = True
        self._session.clear()
        self.query_one(Transcript).remove_children()
        self.query_one(Prompt).focus()

    def action_scroll(self, direction: int) -> None:
        transcript = self.query_one(Transcript)
        transcript.scroll_relative(y=direction * max(1, transcript.size.height - 2), animate=False)
