"""The conversation as it stands on the screen. Nothing of it is ever read as markup."""

from collections.abc import Iterable, Sequence

from textual.containers import VerticalScroll
from textual.content import Content, Span
from textual.widget import Widget
from textual.widgets import Static

from tinychat.tui.widgets import steady


class Transcript(VerticalScroll):
    """Questions, answers and notes, the newest at the bottom and in view."""

    can_focus = False

    def __init__(self, notes: Iterable[str] = ()) -> None:
        super().__init__(*map(_note, notes))
        self._exchange: list[Widget] = []  # the last question and all that belongs to it

    def add_question(self, text: str, unknown_spans: list[tuple[int, int]]) -> None:
        """Words that the model has never seen are underlined."""
        content = Content(text)
        for start, end in unknown_spans:
            content = content.stylize("underline", start, end)
        self._exchange = []
        self._add(Static(content, classes="question", markup=False))

    def add_answer(self) -> "Answer":
        answer = Answer()
        self._add(answer)
        return answer

    def add_note(self, text: str, classes: str = "") -> None:
        """A note that belongs to the last question."""
        self._add(_note(text, classes))

    def say(self, text: str) -> Static:
        """A note of its own, which may change."""
        note = _note(text)
        self.mount(note)
        self.keep_end_in_view()
        return note

    async def take_back(self) -> None:
        """Remove the last question, its answer and its notes."""
        for widget in self._exchange:
            await widget.remove()
        self._exchange = []

    async def clear(self) -> None:
        self._exchange = []
        await self.remove_children()

    def _add(self, widget: Static) -> None:
        self._exchange.append(widget)
        self.mount(widget)
        self.keep_end_in_view()

    def keep_end_in_view(self) -> None:
        self.scroll_end(animate=False)


def _note(text: str, classes: str = "") -> Static:
    return Static(text, classes=f"note {classes}", markup=False)


class Answer(Static):
    """An answer that grows."""

    def __init__(self) -> None:
        super().__init__("▍", classes="answer", markup=False)
        self._text = ""

    def show(self, text: str, done: bool = False) -> None:
        self._text = text
        steady.show(self, Content(text if done else f"{text}▍"))  # most tokens need no line of their own

    def tint(self, spans: Sequence[Span]) -> None:
        """Show the text again, with these colours; without any, as it was."""
        self.update(Content(self._text, list(spans)))
