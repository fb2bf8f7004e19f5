"""What the program does with a training: it begins, its news are shown, and at its end comes the chat.

What is not seen on the first frame is imported where it is used.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.css.query import NoMatches
from textual.screen import Screen

from tinychat.errors import TinychatError
from tinychat.tui.messages import ModelCopied, TrainingEnded, TrainingNews
from tinychat.tui.opening import OpeningApp
from tinychat.tui.screens.training import TrainingScreen
from tinychat.weights.saved_models import Library
from tinychat.wording import counted

if TYPE_CHECKING:
    from tinychat.training.run import TrainingRun
    from tinychat.tui.screens.chat import ChatScreen


class TrainingApp(OpeningApp):
    """The part of the program that holds the job that trains, and the chat beside it."""

    def __init__(self, library: Library, **first: Any) -> None:
        """See OpeningApp."""
        super().__init__(library, **first)
        self.quitting = False
        self._live: ChatScreen | None = None  # with a copy of the model that is being trained

    async def start_training(self, run: "TrainingRun", path: Path | None = None) -> None:
        """Open the training screen and train in the background; without a path, into a new file."""
        from tinychat.tui.job import TrainingJob

        if self.chat is not None:
            await self.chat.rest()  # it may be the same model
        job = TrainingJob(run, path or self.models.reserve(run.model.card), self.post_message)
        self.job = job
        screen = self.training
        if screen is None:
            screen = self.new_training_screen()
            await self._show(screen)
        screen.begin(job)  # before the first news can come
        for warning in run.warnings:
            self.notify(warning, severity="warning", timeout=10, markup=False)
        self.run_worker(job.work, thread=True, exit_on_error=True)

    async def _show(self, screen: Screen[None]) -> None:
        """There is one main screen at a time; a training and the chat beside it stay behind another."""
        before = self.main_screen
        await self.switch_screen(screen)
        if before is not None:
            await self._take_down(before)

    async def _take_down(self, screen: Screen[Any]) -> None:
        if self.is_screen_installed(screen) and screen not in (self.training, self._live):
            self.uninstall_screen(screen)
            await screen.remove()

    def on_unmount(self) -> None:
        if self.job is not None:
            self.job.stop()

    @on(TrainingNews)
    def pass_on(self, news: TrainingNews) -> None:
        if self.training is not None:
            with suppress(NoMatches):  # news from the last moment, for a screen that is being taken down
                self.training.show(news)

    @on(TrainingEnded)
    async def end_training(self, ended: TrainingEnded) -> None:
        from tinychat.tui.job import rest_text

        job, self.job = self.job, None
        if job is None or self.quitting:
            return
        if isinstance(self.main_screen, TrainingScreen):
            while len(self.screen_stack) > 1:  # a dialog that was open on it
                await self.pop_screen()
        card = job.model.card
        if ended.error:  # which says what to do; to go on as before may lead to the same
            note = f"{ended.error}."
        elif ended.finished:
            note = f"Trained and saved as {job.path.stem}."
        elif card.epochs_done:
            note = f"Stopped, and saved as {job.path.stem}. {rest_text(card)}".strip()
        else:
            note = "Stopped within the first epoch; not saved."
        training, self.training = self.training, None
        live, self._live = self._live, None
        if live is None:
            await self.open_chat(job.model, job.path, note)
            return
        live.go_over_to(job.model, note)
        if self.main_screen is not live:
            await self._show(live)
        elif training is not None:
            await self._take_down(training)

    def action_copy_model(self) -> None:
        """Ask for a copy of the model as it is now, to talk with."""
        if self.job is not None:
            self.job.request_copy()

    @on(ModelCopied)
    async def talk_meanwhile(self, copy: ModelCopied) -> None:
        """Open the chat with the copy, or let the chat that is there go over to it."""
        if self.job is None or len(self.screen_stack) > 1:  # it has ended, or something else is open
            return
        state = "is paused" if self.job.is_paused else "goes on"
        note = f"A copy from {copy.learnt}; the training {state}. Ctrl+T leads back, F9 renews it."
        if self._live is not None:
            self._live.go_over_to(copy.model, f"A new copy, from {copy.learnt}.", copy.learnt)
        else:
            from tinychat.tui.screens.chat import ChatScreen

            self._live = ChatScreen(copy.model, self.job.path, note, copy.learnt)
            self.install_screen(self._live, f"live-{id(self.job)}")
        if self.main_screen is not self._live:
            await self._show(self._live)

    @work
    async def point_to_interrupted(self, run: "TrainingRun") -> None:
        card = run.model.card
        summaries, _ = await asyncio.to_thread(self.models.summaries)
        for summary in summaries:
            other = summary.card
            same = (other.corpus_fingerprint, other.preset) == (card.corpus_fingerprint, card.preset)
            if same and not other.is_finished and summary.updates is not None:
                done = f"{other.epochs_done} of {counted(other.epochs_done + other.epochs_left, 'epoch')}"
                self.notify(
                    f"{summary.path.stem}, after {done}: later, in the chat, press Ctrl+O and r.",
                    title="An earlier run was interrupted",
                    timeout=6,
                    markup=False,
                )
                return

    @work
    async def action_train(self) -> None:
        from tinychat.training.run import TrainingRun
        from tinychat.tui.screens.dialogs import Anew, Further, GoOn, TrainDialog

        screen = self.chat
        if screen is None:
            return
        if self.training is not None:
            await self._show(self.training)
            return
        card = screen.model.card
        choice = await self.push_screen_wait(TrainDialog(card.seed + 1, card.epochs_left))
        try:
            if isinstance(choice, Anew):
                run = await self.make_ready(
                    lambda: TrainingRun.start(
                        TrainingRun.resume(screen.model).corpus, screen.model.recipe, choice.seed
                    )
                )
                await self.start_training(run)
            elif choice is not None:
                run = await self.make_ready(lambda: TrainingRun.resume(screen.model))
                if isinstance(choice, Further):
                    run.extend(choice.epochs)
                await self.start_training(run, screen.path if isinstance(choice, GoOn) else None)
        except TinychatError as error:
            self.complain(str(error))
