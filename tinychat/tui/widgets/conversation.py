"""A talk with a model: what was said, a line to type in, and the answer that is being written."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from tinychat.errors import TinychatError
from tinychat.generation.reply import Reply
from tinychat.generation.sampling import Sampling
from tinychat.generation.session import ChatSession
from tinychat.model import Model
from tinychat.tui.widgets.prompt import Prompt
from tinychat.tui.widgets.speaking import PACE_S
from tinychat.tui.widgets.transcript import Answer, Transcript

_LOOK_UP_S = 0.01
"""How often one who waits for the model looks whether it is free."""


class Conversation(Vertical):
    """Asks a ChatSession, and shows its answers token by token."""

    class Changed(Message):
        """An answer began, grew or ended, or the conversation was cleared."""

    @dataclass
    class Ordered(Message):
        """A line was typed that begins with a slash: a command, and what stands behind it."""

        command: str
        rest: str

    def __init__(self, model: Model, note: str) -> None:
        super().__init__()
        self.session = ChatSession(model)
        self.is_answering = False
        self.is_editing = False
        self._draft = ""
        self.pace_s = PACE_S
        self.answer: Answer | None = None
        """The widget of the last answer."""
        self._stopped = False
        self.transcript = Transcript([note] * bool(note) + _welcome(model))
        self.prompt = Prompt(_invitation(model))

    def compose(self) -> ComposeResult:
        yield self.transcript
        yield self.prompt

    def go_over_to(self, model: Model, note: str) -> None:
        """From the next question on talk with another model; an answer under way is written to its end."""
        self.session.model = model
        self.transcript.say(note)

    @on(Input.Submitted)
    async def send(self) -> None:
        if self.is_answering:  # keep what was typed; it can be sent when the answer has ended
            return
        text = self.prompt.take()
        if not text:
            self.notify("Type a question first.", timeout=2)
            return
        if text.startswith("/") and not text.startswith("//"):
            command, _, rest = text[1:].partition(" ")
            self.post_message(self.Ordered(command, rest.strip()))
            return
        text = text.removeprefix("/")  # of two, as in `tinychat chat`
        if self.is_editing:
            self.edit(False)
            await self._begin(self.session.edit(text), in_place=True)
        else:
            await self._begin(self.session.ask(text))

    async def ask_again(self, question: str) -> None:
        """Ask it below all that was said, once nothing else is being answered or edited.

        If it was the last question, the session forgets what was answered before.
        """
        while self.is_answering or self.is_editing:
            await asyncio.sleep(_LOOK_UP_S)
        last = self.session.last
        is_last = last is not None and last.prompt == question
        await self._begin(self.session.regenerate() if is_last else self.session.ask(question))

    def edit(self, on: bool) -> None:
        """Bring the last question back into the line, to be asked otherwise; or give that up.

        What was being typed waits, and stands there again afterwards.
        """
        if on == self.is_editing or (on and self.session.last is None):
            return
        self.is_editing = on
        if on:
            self._draft = self.prompt.value
        self.prompt.set_class(on, "editing")
        self.prompt.write(self.session.last.prompt if on and self.session.last else self._draft)
        self.prompt.focus()

    async def regenerate(self) -> None:
        """Answer the last question once more."""
        if self.is_answering:
            return
        try:
            reply = self.session.regenerate()
        except TinychatError as error:
            self.notify(str(error), timeout=3, markup=False)
            return
        await self._begin(reply, in_place=True)
        sampling = self.session.sampling
        if not (isinstance(sampling, Sampling) and sampling.temperature):
            self.notify("The likeliest words do not change; F3 sets a temperature.", timeout=4)

    def go_on(self) -> None:
        """Write on at an answer that was stopped."""
        reply = self.session.last
        if self.is_answering or reply is None or self.answer is None or reply.is_complete:
            self.notify("No answer was stopped.", timeout=2)
            return
        self.is_answering, self._stopped = True, False
        self.transcript.query(".stopped").remove()
        self._answer(reply, self.answer)

    async def _begin(self, reply: Reply, in_place: bool = False) -> None:
        """Show the question, in place of the last one if wanted, and then the answer."""
        self.is_answering, self._stopped = True, False  # before anything else can happen
        if in_place:
            await self.transcript.take_back()
        self.transcript.add_question(reply.prompt, reply.unknown_spans)
        for note in reply.notes:
            self.transcript.add_note(note)
        self.answer = self.transcript.add_answer()
        self._answer(reply, self.answer)

    @work(exclusive=True)
    async def _answer(self, reply: Reply, answer: Answer) -> None:
        """Show the answer token by token."""
        texts: Iterator[str] = iter(reply)
        try:
            # In a thread, so that a big model does not hold up the keyboard.
            while (text := await asyncio.to_thread(next, texts, None)) is not None and not self._stopped:
                answer.show(text)
                self.transcript.keep_end_in_view()
                self.post_message(self.Changed())
                await asyncio.sleep(self.pace_s)
        finally:
            self.is_answering = False
        if not answer.is_attached:  # cleared away meanwhile
            return
        answer.show(reply.text or "(nothing)", done=True)
        if self._stopped and not reply.is_complete:
            self.transcript.add_note("stopped", "stopped")
        self.session.remember(reply)
        self.transcript.keep_end_in_view()
        self.post_message(self.Changed())

    def stop(self) -> None:
        self._stopped = True

    async def stop_answering(self) -> None:
        """Stop, and wait until the model is free for something else."""
        self._stopped = True
        while self.is_answering:
            await asyncio.sleep(_LOOK_UP_S)

    async def clear(self) -> None:
        """Forget the conversation, on the screen and in the model's context."""
        await self.stop_answering()
        self.edit(False)
        self.session.clear()
        self.answer = None
        await self.transcript.clear()
        self.prompt.focus()
        self.post_message(self.Changed())


def _invitation(model: Model) -> str:
    return "Ask something" if model.card.is_chat else "Begin a sentence; the model writes on"


def _welcome(model: Model) -> list[str]:
    if not model.card.is_chat:
        return ["This model has read plain text only: it writes on where you stop."]
    if not model.card.examples:
        return []
    return ["It answers what it was trained on. Try:", *(f"  {question}" for question in model.card.examples)]
