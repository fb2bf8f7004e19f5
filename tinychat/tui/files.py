"""What the program does with files: models are saved and loaded, conversations exported.

What is not seen on the first frame is imported where it is used.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import App
from textual.screen import Screen

from tinychat.errors import TinychatError
from tinychat.tui.messages import ModelSaved
from tinychat.tui.screens.training import TrainingScreen
from tinychat.weights.saved_models import Library

if TYPE_CHECKING:
    from tinychat.model import Model
    from tinychat.training.run import TrainingRun
    from tinychat.tui.job import TrainingJob
    from tinychat.tui.screens.chat import ChatScreen
    from tinychat.tui.screens.dialogs import Choice


class FilesApp(App[None]):
    """The part of the program that knows the folder of saved models."""

    def __init__(self, library: Library) -> None:
        super().__init__()
        self.models = library
        self.job: TrainingJob | None = None
        """The training under way."""

    async def start_training(self, run: "TrainingRun", path: Path | None = None) -> None:
        """Open the training screen and train in the background; without a path, into a new file."""
        raise NotImplementedError

    async def open_chat(self, model: "Model", path: Path, note: str = "") -> None:
        """Talk with `model`, which is kept in `path`; `note` is said first."""
        raise NotImplementedError

    @property
    def main_screen(self) -> Screen[object] | None:
        """The one that dialogs and the like stand above."""
        return self.screen_stack[0] if self.screen_stack else None

    @property
    def chat(self) -> "ChatScreen | None":
        """The main screen, if it is a chat."""
        screen = self.main_screen
        if screen is None or isinstance(screen, TrainingScreen):
            return None
        from tinychat.tui.screens.chat import ChatScreen

        return screen if isinstance(screen, ChatScreen) else None

    def complain(self, message: str) -> None:
        self.notify(message, severity="error", timeout=10, markup=False)

    @work
    async def action_save(self) -> None:
        from tinychat.tui.screens.dialogs import SaveDialog
        from tinychat.weights import save

        kept_in = self.job.path if self.job else self.chat.path if self.chat else Path()
        path = await self.push_screen_wait(SaveDialog(self.models, kept_in.stem))
        chat = self.chat
        if path is None:
            return
        if self.job is not None:
            self.job.request_save(path)  # between two updates, when the weights are whole
        elif chat is not None:
            try:
                await asyncio.to_thread(save, chat.model, path)
                chat.show_path(path)
                self.saved(ModelSaved(path))
            except TinychatError as error:
                self.complain(str(error))

    @on(ModelSaved)
    def saved(self, message: ModelSaved) -> None:
        if message.error:
            self.complain(message.error)
        else:
            self.notify(f"Saved as {message.path.stem}.", timeout=3, markup=False)

    @work
    async def action_load(self) -> None:
        from tinychat.tui.screens.dialogs import LoadDialog

        summaries = await asyncio.to_thread(self.models.summaries)
        choice = await self.push_screen_wait(LoadDialog(summaries))
        if choice is None:
            return
        try:
            await self._open(choice)
        except TinychatError as error:
            self.complain(str(error))

    async def _open(self, choice: "Choice") -> None:
        from tinychat.training.run import TrainingRun
        from tinychat.weights import load

        path = choice.summary.path
        model = await asyncio.to_thread(load, path)
        if choice.action == "resume" and not model.card.is_finished:
            await self.start_training(TrainingRun.resume(model), path)
        elif choice.action == "resume":
            await self.open_chat(model, path, "Its training is finished; Ctrl+T trains it further.")
        else:
            await self.open_chat(model, path)

    @work
    async def action_export(self) -> None:
        from tinychat.tui.screens.export import ExportDialog

        if self.chat is not None:
            turns, is_chat = self.chat.conversation.session.turns, self.chat.model.card.is_chat
            path = await self.push_screen_wait(ExportDialog(turns, is_chat))
            if path is not None:
                self.notify(f"Written to {path}", timeout=4, markup=False)
