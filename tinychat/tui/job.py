"""Training in a thread behind the screen: it posts what happens, and obeys between two updates."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from time import monotonic

from textual.message import Message

from tinychat.errors import TinychatError
from tinychat.inspection.reading import copied
from tinychat.model import Model, ModelCard
from tinychat.presets import PHASE_TITLES
from tinychat.training.checkpoint import checkpointed
from tinychat.training.events import StepDone
from tinychat.training.run import TrainingRun
from tinychat.tui.messages import ModelCopied, ModelSaved, TrainingEnded, TrainingNews
from tinychat.weights import save
from tinychat.wording import counted

STEP_NEWS_S = 0.2
"""Seconds from any post to one about a single update, at least: a screen cannot show more."""
_LOOK_UP_S = 0.05
"""How often a paused job looks whether it should go on."""


class TrainingJob:
    """A run, the file it is kept in, and the switches that the screen sets."""

    def __init__(self, run: TrainingRun, path: Path, post: Callable[[Message], object]) -> None:
        """`post` is called from the job's thread."""
        self.run = run
        self.path = path
        self._post = post
        self._stop, self._paused, self.ended = Flag(), Flag(), Flag()
        self._save_to: Path | None = None
        self._is_copy_wanted = False

    @property
    def model(self) -> Model:
        return self.run.model

    @property
    def is_paused(self) -> bool:
        return self._paused.is_set()

    def toggle_pause(self) -> None:
        if self._paused.is_set():
            self._paused.clear()
        else:
            self._paused.set()

    def stop(self) -> None:
        """End before the next update; what was learnt since the first epoch is saved."""
        self._stop.set()

    def request_save(self, path: Path) -> None:
        """Save to `path` before the next update; answered by ModelSaved."""
        self._save_to = path

    def request_copy(self) -> None:
        """Copy the weights before the next update, when they are whole; answered by ModelCopied."""
        self._is_copy_wanted = True

    def work(self) -> None:
        """Train to the end, or until stopped. Runs in a thread."""
        finished, error = False, ""
        try:
            finished = self._train()
            if not finished and self.model.card.epochs_done:
                save(self.model, self.path)
        except TinychatError as failure:
            error = str(failure)
        except MemoryError:
            error = "there is not enough memory to go on"
        finally:
            self._give_up_name()
            self.ended.set()
            self._post(TrainingEnded(finished, error))

    def _train(self) -> bool:
        news_at = 0.0
        for event in checkpointed(self.run, self.path):
            if not isinstance(event, StepDone) or monotonic() - news_at >= STEP_NEWS_S:
                news_at = monotonic()
                self._post(TrainingNews(event))
            self._do_as_asked()
            while self._paused.is_set() and not self._stop.wait(_LOOK_UP_S):
                self._do_as_asked()
            if self._stop.is_set():
                return False
        return True

    def _give_up_name(self) -> None:
        """Remove the empty file that reserved the name, if nothing was saved into it."""
        with suppress(OSError):
            if self.path.stat().st_size == 0:
                self.path.unlink()

    def _do_as_asked(self) -> None:
        if self._is_copy_wanted:
            self._is_copy_wanted = False
            self._post(ModelCopied(talking_copy(self.model), progress_text(self.model.card)))
        path, self._save_to = self._save_to, None
        if path is not None:
            try:
                self._post(ModelSaved(save(self.model, path)))
            except TinychatError as failure:
                self._post(ModelSaved(path, str(failure)))


def talking_copy(model: Model) -> Model:
    """The model as it is now, to talk with: nothing of it changes while the training goes on."""
    card = model.card
    progress = {phase: replace(done, epochs=list(done.epochs)) for phase, done in card.progress.items()}
    return replace(copied(model), card=replace(card, progress=progress), optimizer=None, extras={})


def progress_text(card: ModelCard) -> str:
    """`instruction tuning, epoch 12 of 100`; the epoch under way counts as not done."""
    begun = [phase for phase, progress in card.progress.items() if progress.epoch or progress.step]
    if not begun:
        return "untrained"
    phase = begun[-1]
    return (
        f"{PHASE_TITLES[phase].lower()}, epoch {card.progress[phase].epoch} of {card.configs[phase].epochs}"
    )


def rest_text(card: ModelCard) -> str:
    """What there is to say of a training that was interrupted after its first epoch; of others nothing."""
    if card.is_finished or not card.epochs_done:
        return ""
    left = counted(card.epochs_left, "epoch")
    return f"Its training was interrupted, {left} before its end: Ctrl+T goes on."
