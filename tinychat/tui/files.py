"""What the program does with files: models are saved and loaded, conversations exported."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from textual import on, work
from textual.app import App, SystemCommand
from textual.screen import Screen

from tinychat.corpus.writers import write_dialogues
from tinychat.errors import TinychatError
from tinychat.generation.transcript import export
from tinychat.model import Model
from tinychat.training.run import TrainingRun
from tinychat.tui.job import ModelSaved, TrainingJob
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.dialogs import Choice, LoadDialog, SaveDialog
from tinychat.tui.screens.export import ExportDialog
from tinychat.weights import load, save
from tinychat.weights.saved_models import Library


class FilesApp(App[None]):
    """The part of the program that knows the folder of saved models."""

    def __init__(self, library: Library) -> None:
        super().__init__()
        self.models = library
        self.job: TrainingJob | None = None
        """The training under way."""

    async def start_training(self, run: TrainingRun, path: Path | None = None) -> None:
        """Open the training screen and train in the background; without a path, into a new file."""
        raise NotImplementedError

    async def open_chat(self, model: Model, path: Path, note: str = "") -> None:
        """Talk with `model`, which is kept in `path`; `note` is said first."""
        raise NotImplementedError

    @property
    def main_screen(self) -> Screen[object] | None:
        """The one that dialogs and the like stand above."""
        return self.screen_stack[1] if len(self.screen_stack) > 1 else None

    def complain(self, message: str) -> None:
        self.notify(message, severity="error", timeout=10, markup=False)

    @work
    async def action_save(self) -> None:
        screen = self.main_screen
        kept_in = self.job.path if self.job else screen.path if isinstance(screen, ChatScreen) else Path()
        path = await self.push_screen_wait(SaveDialog(self.models, kept_in.stem))
        screen = self.main_screen
        if path is None:
            return
        if self.job is not None:
            self.job.request_save(path)  # between two updates, when the weights are whole
        elif isinstance(screen, ChatScreen):
            try:
                now = replace(screen.model, card=replace(screen.model.card))  # a lesson may change both
                await asyncio.to_thread(save, now, path)
                screen.show_path(path)
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
        summaries = await asyncio.to_thread(self.models.summaries)
        choice = await self.push_screen_wait(LoadDialog(summaries))
        if choice is None:
            return
        try:
            await self._open(choice)
        except TinychatError as error:
            self.complain(str(error))

    async def _open(self, choice: Choice) -> None:
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
        if isinstance(screen := self.main_screen, ChatScreen):
            turns, is_chat = list(screen.conversation.session.turns), screen.model.card.is_chat
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
        if isinstance(screen := self.main_screen, ChatScreen):
            dialogues = [(turn,) for turn in screen.model.card.taught]
            await self._export(
                ExportDialog(
                    "Export what was taught",
                    "A new file, chat….txt or ….jsonl: a corpus to train on",
                    "chat-taught.txt",
                    lambda name: write_dialogues(dialogues, name),
                )
            )

    async def _export(self, dialog: ExportDialog) -> None:
        path = await self.push_screen_wait(dialog)
        if path is not None:
            self.notify(f"Written to {path}", timeout=4, markup=False)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        if isinstance(screen, ChatScreen) and screen.model.card.taught:
            yield SystemCommand("Export what was taught", "As a corpus", self.action_export_taught)
