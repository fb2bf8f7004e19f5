"""The dialog that asks for the right answer."""

from collections.abc import Iterator

from textual import on
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from tinychat.tui.screens.dialogs import Dialog
from tinychat.tui.widgets.line import Line


class TeachDialog(Dialog[str]):
    """Shows the question and what the model answered; answers with what it should have said."""

    TITLE_TEXT = "Teach"
    HINT = "Enter teaches · Esc closes"

    def __init__(self, question: str, said: str, draft: str = "") -> None:
        super().__init__()
        self._question, self._said, self._draft = question, said, draft

    def body(self) -> Iterator[Widget]:
        with VerticalScroll(id="said", can_focus=False):
            yield Static(self._question, classes="question", markup=False)
            yield Static(self._said or "(nothing)", classes="answer", markup=False)
        yield Label("The right answer; it is learnt among a rehearsal of the others")
        yield Line(self._draft, select_on_focus=False)
        yield Static(id="message", markup=False)

    @on(Input.Submitted)
    def teach(self, event: Input.Submitted) -> None:
        answer = event.value.strip()
        if not answer:
            self.complain("Type what it should have said.")
        elif answer == self._said:
            self.complain("That is what it said.")
        else:
            self.dismiss(answer)
