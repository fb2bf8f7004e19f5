"""The chat screen: a conversation, and panels that open beside it."""

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import ActiveBinding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer, Static

from tinychat.errors import UsageError
from tinychat.generation.reply import Reply
from tinychat.model import Model
from tinychat.tui import format as fmt
from tinychat.tui import help as help_texts
from tinychat.tui.keys import CHAT, that_fit
from tinychat.tui.lessons import Lessons
from tinychat.tui.screens.teach import TeachDialog
from tinychat.tui.tints import doubts
from tinychat.tui.widgets.conversation import Conversation
from tinychat.tui.widgets.inside import Inside
from tinychat.tui.widgets.speaking import Speaking


class ChatScreen(Screen[None]):
    """Talks with a model."""

    GUIDE = help_texts.CHAT
    CSS_PATH: ClassVar = ["chat.tcss", "../widgets/speaking.tcss", "../widgets/inside.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-normal"), (100, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = CHAT

    def __init__(self, model: Model, path: Path, note: str = "", learnt: str = "") -> None:
        """`path` is where the model is kept, and what it is called after; `note` is said first.

        Of the copy of a model that is being trained, `learnt` says what it had learnt by then.
        """
        super().__init__()
        self.learnt = learnt
        self.model = model
        self.path = path
        self.conversation = Conversation(model, note)
        self.lessons = Lessons(self.conversation, lambda: self.path)
        self._title = Static(id="title", markup=False)
        self._speaking, self._inside = Speaking(), Inside()
        self._is_tinted = self._was_answering = False
        self._looked_into: tuple[Reply, int] | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="body"):
            with Vertical(id="column"):
                yield self._title
                yield self.conversation
            yield self._speaking
            yield self._inside
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self._show_title()
        self._open(None)

    @property
    def is_answering(self) -> bool:
        return self.conversation.is_answering

    def go_over_to(self, model: Model, note: str, learnt: str = "") -> None:
        """Talk with another model from now on; it is the same one, but it has learnt more."""
        self.model, self.learnt = model, learnt
        self.conversation.go_over_to(model, note)
        self._show_title()
        self.refresh_bindings()

    def show_path(self, path: Path) -> None:
        """The model is now kept in `path`."""
        self.path = path
        self._show_title()

    @on(Conversation.Changed)
    def _show_title(self) -> None:
        """The model, and how full its context is."""
        loss, fill = self.model.card.final_loss, self.conversation.session.fill
        parts = [self.path.stem]
        if fill:
            parts.append(f"context {fill}/{self.model.config.max_seq_len}")
        if self.learnt:
            parts.append(f"copy from {self.learnt}")
        else:
            parts.append(f"{self.model.n_parameters:,} parameters")
            parts += [] if loss is None else [f"loss {fmt.loss(loss)}"]
        self._title.update(" · ".join(parts), layout=False)
        if self.is_answering is not self._was_answering:  # keys are drawn anew, which takes its time
            self._was_answering = self.is_answering
            self.refresh_bindings()
        if not self.is_answering:
            self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now are not offered."""
        talk = self.conversation
        last = talk.session.last
        if action in ("tint", "teach"):
            return last is not None
        if action == "untaught":
            return self.lessons.can_take_back
        if action in ("copy_model", "train", "load") and bool(self.learnt) is not (action == "copy_model"):
            return action == "train"  # which leads back to the training
        if action == "back":
            return talk.is_answering or talk.is_editing or not talk.prompt.has_focus
        if action in ("regenerate", "edit"):
            return last is not None and not talk.is_answering
        if action == "go_on":
            return last is not None and not last.is_complete and not talk.is_answering
        return True

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """On a narrow screen the footer shows fewer keys."""
        return that_fit(super().active_bindings, self.size.width, self.app.get_key_display)

    def on_resize(self) -> None:
        self.refresh_bindings()

    # Panels

    def _open(self, panel: Speaking | Inside | None) -> None:
        """Show one panel, or none; on a narrow screen it takes the conversation's place."""
        self._speaking.display = panel is self._speaking
        self._inside.display = panel is self._inside
        self.set_class(panel is not None, "panelled")
        if panel is None:
            self.conversation.prompt.focus()
        else:
            panel.enter()
        self.refresh_bindings()

    def action_speaking(self) -> None:
        self._open(None if self._speaking.display else self._speaking)

    def action_inside(self) -> None:
        self._open(None if self._inside.display else self._inside)
        self._look()

    def action_tint(self) -> None:
        self._is_tinted = not self._is_tinted
        self._inside.tint(self._is_tinted)
        self._look()
        self._tint()

    def _look(self) -> None:
        """Look into the last answer, if one wants to know and it is not known yet."""
        reply = self.conversation.session.last
        wanted = (reply, len(reply.ids)) if reply is not None else None
        if (
            (self._inside.display or self._is_tinted)
            and not self.is_answering
            and wanted != self._looked_into
        ):
            self._looked_into = wanted
            self._inside.look(self.model, reply)

    @on(Inside.Found)
    def _tint(self) -> None:
        answer, insight = self.conversation.answer, self._inside.insight
        if answer is not None and insight is not None and not self.is_answering:
            answer.tint(doubts(insight) if self._is_tinted else [])

    @on(Speaking.Changed)
    def speak_so(self, changed: Speaking.Changed) -> None:
        self.conversation.session.choose_by(changed.sampling)
        self.conversation.pace_s = changed.pace_s

    # Teaching

    @on(Conversation.Ordered)
    def obey(self, typed: Conversation.Ordered) -> None:
        if typed.command not in ("teach", "undo"):
            self.conversation.prompt.write(f"/{typed.command} {typed.rest}".rstrip())
            self.refuse("Only /teach and /undo are typed; all else has keys, see F1. Two slashes ask it.")
            return
        self.conversation.edit(False)
        if typed.command == "teach":
            self.action_teach(typed.rest)
        else:
            self.action_untaught()

    @work(exclusive=True, group="teach")
    async def action_teach(self, draft: str = "") -> None:
        """Ask for the right answer to the last question, and let the model learn it."""
        if self.learnt:
            self.refuse("This is a copy, and would be gone; teach the model when its training has ended.")
            return
        try:
            question = self.lessons.question()
        except UsageError as error:
            self.refuse(str(error))
            return
        last = self.conversation.session.last
        said = last.text if last is not None else ""
        answer = await self.app.push_screen_wait(TeachDialog(question, said, draft))
        try:
            if answer is not None:
                self.lessons.teach(question, answer)
        except UsageError as error:
            self.refuse(str(error))

    def action_untaught(self) -> None:
        try:
            self.lessons.take_back()
        except UsageError as error:
            self.refuse(str(error))

    def refuse(self, reason: str) -> None:
        self.notify(reason, severity="warning", timeout=5, markup=False)

    async def rest(self) -> None:
        """Stop the answer and the lesson under way, and wait until the model is free for something else."""
        await self.lessons.give_up()
        await self.conversation.stop_answering()

    # What one does in a conversation

    def action_back(self) -> None:
        """Stop the answer; otherwise give up what is being edited; otherwise close the panel."""
        if self.conversation.is_answering:
            self.conversation.stop()
        elif self.conversation.is_editing:
            self.conversation.edit(False)
        else:
            self._open(None)
        self.refresh_bindings()

    def action_edit(self) -> None:
        self._open(None)
        self.conversation.edit(True)
        self.refresh_bindings()

    async def action_regenerate(self) -> None:
        await self.conversation.regenerate()

    def action_go_on(self) -> None:
        self.conversation.go_on()

    def action_copy(self) -> None:
        last = self.conversation.session.last
        if last is None or not last.ids:
            self.notify("There is no answer yet.", timeout=2)
            return
        self.app.copy_to_clipboard(last.text)
        self.notify("The answer is in the clipboard, if the terminal allows it.", timeout=3)

    async def action_clear(self) -> None:
        self._open(None)
        await self.conversation.clear()
        self.refresh_bindings()

    def action_scroll(self, direction: int) -> None:
        transcript = self.conversation.transcript
        transcript.scroll_relative(y=direction * max(1, transcript.size.height - 2), animate=False)
