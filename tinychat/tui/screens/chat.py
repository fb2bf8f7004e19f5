"""The chat screen: a conversation, and panels that open beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer, Static

from tinychat.generation.reply import Reply
from tinychat.model import Model
from tinychat.tui import format as fmt
from tinychat.tui.tints import doubts
from tinychat.tui.widgets.conversation import Conversation
from tinychat.tui.widgets.inside import Inside
from tinychat.tui.widgets.speaking import Speaking


def _keys(*rows: tuple[str, str, str, str], show: bool = True) -> Iterator[Binding]:
    """Key, action, a word for the footer, and `what: how` for the list of commands."""
    for key, action, word, tooltip in rows:
        name = action.removeprefix("app.")
        # The line to type in knows some of the keys too.
        yield Binding(key, action, word, show=show, priority=True, id=f"chat.{name}", tooltip=tooltip)


class ChatScreen(Screen[None]):
    """Talks with a model."""

    CSS_PATH: ClassVar = ["chat.tcss", "../widgets/speaking.tcss", "../widgets/inside.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-normal"), (100, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="chat.back"),
        Binding("f1", "app.help", "Help", id="chat.help", tooltip="Help: the keys, and what is shown"),
        *_keys(
            ("f3", "speaking", "Speaking", "How it speaks: temperature, top-k, beams, pace"),
            ("f4", "inside", "Inside", "Inside the model: why it wrote each word of the answer"),
            ("f5", "tint", "Tint", "Tint: words are the warmer, the less certain the model was"),
            ("ctrl+r", "regenerate", "Again", "Regenerate: answer the last question once more"),
            ("ctrl+g", "go_on", "Go on", "Continue: write on at an answer that was stopped"),
            (
                "ctrl+t",
                "app.train",
                "Train",
                "Train: this model further, or a new one; back to the training under way",
            ),
            ("ctrl+o", "app.load", "Load", "Load a model: chat with it, or go on training it"),
        ),
        *_keys(
            ("f9", "app.copy_model", "New copy", "New copy: of the model that is being trained, as it is now")
        ),
        *_keys(
            ("ctrl+e", "edit", "Edit", "Edit: ask the last question otherwise"),
            ("ctrl+s", "app.save", "Save", "Save the model: under a name"),
            ("f6", "app.word_map", "Map", "Map of words: those that were used alike lie near each other"),
            ("f7", "app.curves", "Curves", "Curves: how the training went, layer by layer"),
            ("ctrl+y", "copy", "Copy", "Copy: the last answer, into the clipboard"),
            ("f8", "app.export", "Export", "Export the conversation: as Markdown or JSON Lines"),
            ("ctrl+l", "clear", "Clear", "Clear the conversation: on the screen and in the context"),
            show=False,
        ),
        Binding("pageup", "scroll(-1)", "Page up", show=False, id="chat.pageup"),
        Binding("pagedown", "scroll(1)", "Page down", show=False, id="chat.pagedown"),
    ]

    def __init__(self, model: Model, path: Path, note: str = "", learnt: str = "") -> None:
        """`path` is where the model is kept, and what it is called after; `note` is said first.

        Of the copy of a model that is being trained, `learnt` says what it had learnt by then.
        """
        super().__init__()
        self.learnt = learnt
        self.model = model
        self.path = path
        self.conversation = Conversation(model, note)
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
            parts += [f"copy from {self.learnt}", "F9 takes a new one"]
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
        if action == "tint":
            return last is not None
        if action in ("copy_model", "train", "load") and bool(self.learnt) is not (action == "copy_model"):
            return action == "train"  # which leads back to the training
        if action == "back":
            return talk.is_answering or talk.is_editing or not talk.prompt.has_focus
        if action in ("regenerate", "edit"):
            return last is not None and not talk.is_answering
        if action == "go_on":
            return last is not None and not last.is_complete and not talk.is_answering
        return True

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
