"""Dialogs: save, load, train. Each answers with a value, or None when it was left by Escape."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Generic, Literal, TypeVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.validation import Integer
from textual.widget import Widget
from textual.widgets import Button, DataTable, Input, Label, Static

from tinychat.errors import UsageError
from tinychat.tui import format as fmt
from tinychat.weights.description import Summary
from tinychat.weights.saved_models import Library
from tinychat.wording import counted

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None], Generic[Result]):
    """A titled box in the middle of the screen; subclasses fill it."""

    CSS_PATH = "dialogs.tcss"
    TITLE_TEXT = ""
    HINT = "Esc closes"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", id="dialog.leave")]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as box:
            box.border_title = self.TITLE_TEXT
            box.border_subtitle = self.HINT
            yield from self.body()

    def body(self) -> Iterator[Widget]:
        raise NotImplementedError

    def action_leave(self) -> None:
        self.dismiss(None)

    def complain(self, message: str) -> None:
        self.query_one("#message", Static).update(message)


class SaveDialog(Dialog[Path]):
    """Asks for a name; answers with the path to save to."""

    TITLE_TEXT = "Save the model"
    HINT = "Enter saves · Esc closes"

    def __init__(self, library: Library, name: str) -> None:
        super().__init__()
        self._library = library
        self._name = name
        self._confirmed: Path | None = None

    def body(self) -> Iterator[Widget]:
        yield Label(f"A name, to be found again in {self._library.folder}", markup=False)
        yield Input(self._name)
        yield Static(id="message", markup=False)

    @on(Input.Submitted)
    def save(self, event: Input.Submitted) -> None:
        try:
            path = self._library.path_for(event.value)
        except UsageError as error:
            self.complain(str(error))
            return
        if path.exists() and path != self._confirmed:
            self._confirmed = path
            self.complain(f"{path.name} is there already; Enter replaces it.")
            return
        self.dismiss(path)


@dataclass(frozen=True)
class Choice:
    """A saved model, and what to do with it."""

    summary: Summary
    action: Literal["chat", "resume"]


class LoadDialog(Dialog[Choice]):
    """Lists the saved models, the newest first, and names the files that cannot be read."""

    TITLE_TEXT = "Load a model"
    HINT = "Enter opens · r goes on training · Esc closes"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "resume", "Go on training", id="load.resume")]

    def __init__(self, summaries: list[Summary], unreadable: list[Path]) -> None:
        super().__init__()
        self._summaries, self._unreadable = summaries, unreadable

    def body(self) -> Iterator[Widget]:
        if self._summaries:
            yield DataTable(cursor_type="row")
        elif not self._unreadable:
            yield Label("Nothing is saved yet. A model is saved when its training ends.")
        if self._unreadable:
            names = ", ".join(path.name for path in self._unreadable)
            told = f"{counted(len(self._unreadable), 'file')} could not be read: {names}"
            yield Static(told, id="message", markup=False)

    def on_mount(self) -> None:
        if not self._summaries:
            return
        table = self.query_one(DataTable)
        table.add_columns("name", "written", "corpus", "params", "loss", "epochs")
        for summary in self._summaries:
            card = summary.card
            written = datetime.fromtimestamp(summary.path.stat().st_mtime)
            epochs = (
                "all" if card.is_finished else f"{card.epochs_done}/{card.epochs_done + card.epochs_left}"
            )
            cells = (
                *(summary.path.stem, f"{written:%d %b %H:%M}", card.corpus),
                *(fmt.count(summary.n_parameters), fmt.loss(card.final_loss), epochs),
            )
            table.add_row(*(Text(cell) for cell in cells))  # Text, so that no name is read as markup

    @on(DataTable.RowSelected)
    def open(self, event: DataTable.RowSelected) -> None:
        self.dismiss(Choice(self._summaries[event.cursor_row], "chat"))

    def action_resume(self) -> None:
        if self._summaries:
            self.dismiss(Choice(self._summaries[self.query_one(DataTable).cursor_row], "resume"))


@dataclass(frozen=True)
class GoOn:
    """Do what is left of an interrupted training."""


@dataclass(frozen=True)
class Further:
    """Train the same model for more epochs."""

    epochs: int


@dataclass(frozen=True)
class Anew:
    """Train a new model on the same corpus."""

    seed: int


class TrainDialog(Dialog[GoOn | Further | Anew]):
    """Asks whether to go on with the model's training, to train it further, or a new one."""

    TITLE_TEXT = "Train"

    def __init__(self, seed: int, epochs_left: int, epochs: int = 20) -> None:
        """Offers `seed` for a new model, and `epochs` to train a model further whose recipe is done."""
        super().__init__()
        self._seed = seed
        self._epochs_left = epochs_left
        self._epochs = epochs

    def body(self) -> Iterator[Widget]:
        if self._epochs_left:
            left = counted(self._epochs_left, "epoch")
            yield Label(f"Go on: its training was interrupted, {left} before its end")
            yield Button("Go on", id="go-on", variant="primary")
        else:
            yield Label("Further: so many more epochs of the last phase")
            with Horizontal(classes="choice"):
                yield Input(str(self._epochs), type="integer", id="epochs", validators=[Integer(1, 100_000)])
                yield Button("Further", id="further", variant="primary")
        yield Label("Anew: another model, its weights drawn from this seed")
        with Horizontal(classes="choice"):
            yield Input(str(self._seed), type="integer", id="seed", validators=[Integer(0, 2**63)])
            yield Button("Anew", id="anew")
        yield Static(id="message", markup=False)

    @on(Button.Pressed, "#go-on")
    def go_on(self) -> None:
        self.dismiss(GoOn())

    @on(Input.Submitted, "#epochs")
    @on(Button.Pressed, "#further")
    def further(self) -> None:
        field = self.query_one("#epochs", Input)
        if field.is_valid and field.value:
            self.dismiss(Further(int(field.value)))
        else:
            self.complain("Epochs must be a whole number from 1 to 100,000.")

    @on(Input.Submitted, "#seed")
    @on(Button.Pressed, "#anew")
    def anew(self) -> None:
        field = self.query_one("#seed", Input)
        if field.is_valid and field.value:
            self.dismiss(Anew(int(field.value)))
        else:
            self.complain("The seed must be a whole number of at least 0.")
