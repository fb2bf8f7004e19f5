"""The conversation as it stands on the screen. Nothing of it is ever read as markup."""

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class Transcript(VerticalScroll):
    """Questions, answers and notes, the newest at the bottom and in view."""

    can_focus = False

    def __init__(self, notes: Iterable[str] = ()) -> None:
        super().__init__(*map(_note, notes))

    def add_question(self, text: str, unknown_spans: list[tuple[int, int]]) -> None:
        """Words that the model has never seen are underlined."""
        content = Content(text)
        for start, end in unknown_spans:
            content = content.stylize("underline", start, end)
        self._add(Static(content, classes="question", markup=False))

    def add_answer(self) -> "Answer":
        answer = Answer()
        self._add(answer)
        return answer

    def add_note(self, text: str) -> None:
        self._add(_note(text))

    def _add(self, widget: Static) -> None:
        self.mount(widget)
        self.keep_end_in_view()

    def keep_end_in_view(self) -> None:
        self.scroll_end(animate=False)


def _note(text: str) -> Static:
    return Static(text, classes="note", markup=False)


class Answer(Static):
    """An answer that grows."""

    def __init__(self) -> None:
        super().__init__("▍", classes="answer", markup=False)

    def show(self, text: str, done: bool = False) -> None:
        self.update(text if done else f"{text}▍")
