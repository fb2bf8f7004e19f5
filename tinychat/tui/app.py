"""The program: it holds the model, the job that trains it, and the folder of saved models."""

import asyncio
import signal
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen

from tinychat.cli import INTERRUPTED
from tinychat.errors import TinychatError
from tinychat.model import Model
from tinychat.training.run import TrainingRun
from tinychat.tui import help as help_texts
from tinychat.tui.job import ModelSaved, TrainingEnded, TrainingJob, TrainingNews
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.dialogs import (
    Anew,
    Choice,
    Further,
    GoOn,
    HelpDialog,
    LoadDialog,
    SaveDialog,
    TrainDialog,
)
from tinychat.tui.screens.export import ExportDialog
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.themes import DARK, LIGHT
from tinychat.weights import load, save
from tinychat.weights.saved_models import Library

LONGEST_QUIT_S = 0.4
"""A job that has not ended by then is left behind; its thread looks at its switches after every update."""


class TinychatApp(App[None]):
    """Begins with the training of a run, or with a chat with a model."""

    TITLE = "tinychat"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", priority=True, id="app.quit"),
        Binding("f2", "light_or_dark", "Light or dark", show=False, id="app.theme"),
    ]

    def __init__(
        self,
        library: Library,
        *,
        run: TrainingRun | None = None,
        path: Path | None = None,
        model: Model | None = None,
    ) -> None:
        """Give a run to train (and the file it is kept in, if not a new one), or a model and its file."""
        super().__init__()
        self.models = library
        self._first_run, self._first_path = run, path
        self._first_model = model
        self.job: TrainingJob | None = None
        self._quitting = False

    async def on_mount(self) -> None:
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        self._handle_signals()
        if self._first_run is not None:
            await self.start_training(self._first_run, self._first_path)
            if self._first_path is None:
                self._point_to_interrupted(self._first_run)
        elif self._first_model is not None:
            await self.open_chat(self._first_model, self._first_path or Path("model"))

    def _handle_signals(self) -> None:
        """A terminal that is closed, or a kill: leave as by the key, so that nothing is lost or left raw."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):  # not everywhere
                number = getattr(signal, name)
                if signal.getsignal(number) != signal.SIG_IGN:
                    asyncio.get_running_loop().add_signal_handler(
                        number, lambda: self.run_worker(self.leave(INTERRUPTED))
                    )

    # Training

    async def start_training(self, run: TrainingRun, path: Path | None = None) -> None:
        """Open the training screen and train in the background; without a path, into a new file."""
        if isinstance(self._main_screen, ChatScreen):
            await self._main_screen.conversation.stop_answering()  # it may be the same model
        job = TrainingJob(run, path or self.models.reserve(run.model.card), self.post_message)
        self.job = job
        await self._show(TrainingScreen(job))  # before the first news can come
        for warning in run.warnings:
            self.notify(warning, severity="warning", timeout=10, markup=False)
        self.run_worker(job.work, thread=True, exit_on_error=True)

    async def _show(self, screen: Screen[None]) -> None:
        """There is one main screen at a time."""
        if len(self.screen_stack) > 1:
            await self.switch_screen(screen)
        else:
            await self.push_screen(screen)

    def on_unmount(self) -> None:
        if self.job is not None:
            self.job.stop()

    @property
    def _main_screen(self) -> Screen[object] | None:
        return self.screen_stack[1] if len(self.screen_stack) > 1 else None

    @on(TrainingNews)
    def pass_on(self, news: TrainingNews) -> None:
        screen = self._main_screen
        if isinstance(screen, TrainingScreen):
            with suppress(NoMatches):  # news from the last moment, for a screen that is being taken down
                screen.show(news)

    @on(TrainingEnded)
    async def end_training(self, ended: TrainingEnded) -> None:
        job, self.job = self.job, None
        if job is None or self._quitting:
            return
        while len(self.screen_stack) > 2:  # a dialog that was open on the training screen
            await self.pop_screen()
        card = job.model.card
        if ended.error:
            note = ended.error
        elif ended.finished:
            note = f"Trained and saved as {job.path.stem}."
        elif card.epochs_done:
            note = f"Stopped, and saved as {job.path.stem}."
        else:
            note = "Stopped within the first epoch; not saved."
        await self.open_chat(job.model, job.path, note)

    def _point_to_interrupted(self, run: TrainingRun) -> None:
        card = run.model.card
        for summary in self.models.summaries():
            other = summary.card
            same = (other.corpus_fingerprint, other.preset) == (card.corpus_fingerprint, card.preset)
            if same and not other.is_finished and summary.updates is not None:
                done = f"{other.epochs_done} of {other.epochs_done + other.epochs_left} epochs"
                self.notify(
                    f"{summary.path.stem}, after {done}: later, in the chat, press Ctrl+O and r.",
                    title="An earlier run was interrupted",
                    timeout=6,
                    markup=False,
                )
                return

    @work
    async def action_train(self) -> None:
        screen = self._main_screen
        if not isinstance(screen, ChatScreen):
            return
        card = screen.model.card
        choice = await self.push_screen_wait(TrainDialog(card.seed + 1, card.epochs_left))
        try:
            if isinstance(choice, GoOn):
                await self.start_training(TrainingRun.resume(screen.model), screen.path)
            elif isinstance(choice, Further):
                run = TrainingRun.resume(screen.model)
                run.extend(choice.epochs)
                await self.start_training(run)
            elif isinstance(choice, Anew):
                old = TrainingRun.resume(screen.model)
                run = TrainingRun.start(old.corpus, screen.model.recipe, choice.seed)
                await self.start_training(run)
        except TinychatError as error:
            self.complain(str(error))

    # Chat

    async def open_chat(self, model: Model, path: Path, note: str = "") -> None:
        """Talk with `model`, which is kept in `path`; `note` is said first."""
        card = model.card
        if not card.is_finished and card.epochs_done:
            note += (
                f" Its training was interrupted, {card.epochs_left} epochs before its end: Ctrl+T goes on."
            )
        await self._show(ChatScreen(model, path, note.strip()))

    # Saving and loading

    @work
    async def action_save(self) -> None:
        screen = self._main_screen
        kept_in = self.job.path if self.job else screen.path if isinstance(screen, ChatScreen) else Path()
        path = await self.push_screen_wait(SaveDialog(self.models, kept_in.stem))
        screen = self._main_screen
        if path is None:
            return
        if self.job is not None:
            self.job.request_save(path)  # between two updates, when the weights are whole
        elif isinstance(screen, ChatScreen):
            try:
                await asyncio.to_thread(save, screen.model, path)
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
        screen = self._main_screen
        if isinstance(screen, ChatScreen):
            turns = screen.conversation.session.turns
            path = await self.push_screen_wait(ExportDialog(turns, screen.model.card.is_chat))
            if path is not None:
                self.notify(f"Written to {path}", timeout=4, markup=False)

    # Everything else

    def complain(self, message: str) -> None:
        self.notify(message, severity="error", timeout=10, markup=False)

    def action_help(self) -> None:
        text = help_texts.TRAINING if isinstance(self.screen, TrainingScreen) else help_texts.CHAT
        self.push_screen(HelpDialog(text))

    def action_light_or_dark(self) -> None:
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    async def action_quit(self) -> None:
        await self.leave()

    async def leave(self, return_code: int = 0) -> None:
        """End the program; what a job has learnt since its first epoch is saved first."""
        if self._quitting:
            return
        self._quitting = True
        if self.job is not None:
            self.job.stop()
            await asyncio.to_thread(self.job.ended.wait, LONGEST_QUIT_S)
        self.exit(return_code=return_code)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        yield SystemCommand("Light or dark", "Switch between the two themes", self.action_light_or_dark)
        for binding in screen.BINDINGS:  # those of which a tooltip says `what: how`
            if isinstance(binding, Binding) and ": " in binding.tooltip:
                if screen.check_action(binding.action.removeprefix("app."), ()) is not True:
                    continue
                name, _, about = binding.tooltip.partition(": ")
                yield SystemCommand(name, about, partial(screen.run_action, binding.action))
