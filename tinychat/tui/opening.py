"""How the program begins: what takes longer than a frame is imported and read behind the first one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from tinychat.errors import TinychatError
from tinychat.tui.files import FilesApp
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.themes import DARK, LIGHT
from tinychat.weights.saved_models import Library

if TYPE_CHECKING:
    from tinychat.model import Model
    from tinychat.training.run import TrainingRun

_NEXT = "tinychat.tui.job"
_LATER = ("chat", "dialogs", "notices", "curves", "word_map", "export")
"""Screens that nobody should wait for when they are opened."""


@dataclass(frozen=True)
class Opening:
    """How to come by the run that is trained first, or by the model that is talked with."""

    make: Callable[[], "TrainingRun | Model"]
    is_training: bool


@dataclass
class Opened(Message):
    """It is made."""

    made: "TrainingRun | Model"


@dataclass
class NotOpened(Message):
    """It cannot be made."""

    error: Exception


class OpeningApp(FilesApp):
    """The part of the program that comes before its model."""

    CSS_PATH = Path(__file__).parent / "screens" / "training.tcss"
    """Read with the first sheets: one that comes with its screen lets all be read anew."""
    CSS = "#opening { padding: 0 2; color: $text-muted; }"

    def __init__(
        self,
        library: Library,
        *,
        run: "TrainingRun | None" = None,
        path: Path | None = None,
        model: "Model | None" = None,
        opening: Opening | None = None,
    ) -> None:
        """Give a run to train (and the file it is kept in, if not a new one), or a model and its file, or
        how to come by one of them."""
        super().__init__(library)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        # Without a watcher, which would have all sheets read a second time.
        self.set_reactive(OpeningApp.theme, DARK.name)
        self.stylesheet.set_variables(self.get_css_variables())
        self.failure: Exception | None = None
        """Why the program ended before it had begun."""
        self.training: TrainingScreen | None = None
        """The screen of the training under way, or of one that is being made ready."""
        self.opener: Thread | None = None
        self._opening, self._first, self._first_path = opening, run or model, path
        self._is_training_first = opening.is_training if opening else run is not None

    def get_default_screen(self) -> Screen[Any]:
        """The training itself: a screen that opens upon another is seen some frames later."""
        screen = self.new_training_screen() if self._is_training_first else super().get_default_screen()
        # As of a pushed one: without it, Textual cannot switch from its first screen to another.
        screen._push_result_callback(self, None)
        return screen

    def new_training_screen(self) -> TrainingScreen:
        """It waits for its job, and lives on behind a chat."""
        screen = self.training = TrainingScreen()
        screen.fit(self.size)
        self.install_screen(screen, f"training-{id(screen)}")
        return screen

    def compose(self) -> ComposeResult:
        if self._opening is not None and not self._is_training_first:
            yield Static("tinychat · opening the model", id="opening", markup=False)

    async def on_mount(self) -> None:
        if self._opening is not None:
            self.call_after_refresh(self._open_behind, self._opening)
        elif self._first is not None and self._is_training_first:
            self.call_after_refresh(self._begin, self._first)  # when its screen has all its parts
        elif self._first is not None:
            await self._begin(self._first)

    def _open_behind(self, opening: Opening) -> None:
        """In a thread that the program does not wait for when it ends."""
        self.opener = Thread(target=self._make, args=(opening,), daemon=True)
        self.opener.start()

    def _make(self, opening: Opening) -> None:
        with suppress(RuntimeError):  # raised where a program that has ended is told something
            try:
                made = opening.make()
                import_module(_NEXT)
            except Exception as error:  # told where the terminal is the user's again
                self.post_message(NotOpened(error))
                return
            self.post_message(Opened(made))
            for name in _LATER:
                import_module(f"tinychat.tui.screens.{name}")
            self.call_later(self._read_ahead)

    def _read_ahead(self) -> None:
        """Read the style sheets of the chat now, while nobody waits: one that comes with its screen lets all
        be read anew."""
        from tinychat.tui.screens.chat import ChatScreen

        screens = Path(__file__).parent / "screens"
        self.stylesheet.read_all([(screens / sheet).resolve() for sheet in ChatScreen.CSS_PATH])
        self.stylesheet.parse()

    @on(Opened)
    async def _go_on(self, opened: Opened) -> None:
        while len(self.screen_stack) > 1:  # the list of commands, perhaps
            await self.pop_screen()
        try:
            await self._begin(opened.made)
        except TinychatError as error:
            self._give_up(NotOpened(error))

    @on(NotOpened)
    def _give_up(self, message: NotOpened) -> None:
        self.failure = message.error
        self.exit()

    async def _begin(self, first: "TrainingRun | Model") -> None:
        from tinychat.model import Model

        if isinstance(first, Model):
            await self.open_chat(first, self._first_path or Path("model"))
            return
        await self.start_training(first, self._first_path)
        if self._first_path is None:
            self.point_to_interrupted(first)

    def point_to_interrupted(self, run: "TrainingRun") -> object:
        """Tell of an earlier run of the kind that was not finished."""
        raise NotImplementedError
