"""What the program does with files: models are saved and loaded, conversations exported.

What is not seen on the first frame is imported where it is used.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import App, SystemCommand
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
    from tinychat.tui.screens.export import ExportDialog


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
                now = replace(chat.model, card=replace(chat.model.card))  # a lesson may change both
                await asyncio.to_thread(save, now, path)
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

    async def make_ready(self, make: Callable[[], "TrainingRun"]) -> "TrainingRun":
        """What `make` gives, in a thread: reading a large corpus and cutting it into rows takes seconds, in
        which nothing else may change the model. The program's end does not wait for it."""
        from tinychat.tui.screens.notices import WaitDialog

        if self.chat is not None:
            await self.chat.rest()  # it may be the same model
        waiting = WaitDialog("Reading the corpus …")
        await self.push_screen(waiting)
        try:
            return await _behind(make)
        finally:
            while waiting in self.screen_stack:  # the list of commands may lie above it
                await self.pop_screen()

    @work
    async def action_load(self) -> None:
        from tinychat.tui.screens.dialogs import LoadDialog

        choice = await self.push_screen_wait(LoadDialog(*await asyncio.to_thread(self.models.summaries)))
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
            await self.start_training(await self.make_ready(lambda: TrainingRun.resume(model)), path)
        elif choice.action == "resume":
            await self.open_chat(model, path, "Its training is finished; Ctrl+T trains it further.")
        else:
            await self.open_chat(model, path)

    @work
    async def action_export(self) -> None:
        from tinychat.generation.transcript import export
        from tinychat.tui.screens.export import ExportDialog

        if (chat := self.chat) is not None:
            turns, is_chat = list(chat.conversation.session.turns), chat.model.card.is_chat
            await self._export(
                ExportDialog(
                    "Export the conversation",
                    "A new file: .md is Markdown, .jsonl is JSON Lines, which can be learnt from",
                    "conversation.md",
                    lambda name: export(turns, name, is_chat),
                )
            )

    @work
    async def action_export_taught(self) -> None:
        from tinychat.corpus.writers import write_dialogues
        from tinychat.tui.screens.export import ExportDialog

        if (chat := self.chat) is not None:
            dialogues = [(turn,) for turn in chat.model.card.taught]
            await self._export(
                ExportDialog(
                    "Export what was taught",
                    "A new file, chat….txt or ….jsonl: a corpus to train on",
                    "chat-taught.txt",
                    lambda name: write_dialogues(dialogues, name),
                )
            )

    async def _export(self, dialog: "ExportDialog") -> None:
        path = await self.push_screen_wait(dialog)
        if path is not None:
            self.notify(f"Written to {path}", timeout=4, markup=False)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        if (chat := self.chat) is not None and chat is screen and chat.model.card.taught:
            yield SystemCommand("Export what was taught", "As a corpus", self.action_export_taught)


async def _behind(make: Callable[[], "TrainingRun"]) -> "TrainingRun":
    """As `asyncio.to_thread`, whose threads are waited for before Python ends."""
    made: Future[TrainingRun] = Future()
    made.set_running_or_notify_cancel()  # whoever waits may give up, and it goes on

    def work() -> None:
        try:
            made.set_result(make())
        except BaseException as error:  # told where it is waited for
            made.set_exception(error)

    Thread(target=work, daemon=True).start()
    return await asyncio.wrap_future(made)
