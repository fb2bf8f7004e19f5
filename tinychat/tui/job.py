"""Training in a thread behind the screen: it posts what happens, and obeys between two updates."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from time import monotonic

from textual.message import Message

from tinychat.errors import TinychatError
from tinychat.model import Model
from tinychat.training.checkpoint import checkpointed
from tinychat.training.events import Event, StepDone
from tinychat.training.run import TrainingRun
from tinychat.weights import save

STEP_NEWS_S = 0.2
"""Seconds between two posts about single updates, at least: a screen cannot show more."""
_LOOK_UP_S = 0.05
"""How often a paused job looks whether it should go on."""


@dataclass
class TrainingNews(Message):
    """Something happened in the run."""

    event: Event


@dataclass
class TrainingEnded(Message):
    """The job is over: finished, stopped, or failed with an error to show."""

    finished: bool
    error: str = ""


@dataclass
class ModelSaved(Message):
    """The answer to `request_save`."""

    path: Path
    error: str = ""


class TrainingJob:
    """A run, the file it is kept in, and the switches that the screen sets."""

    def __init__(self, run: TrainingRun, path: Path, post: Callable[[Message], object]) -> None:
        """`post` is called from the job's thread."""
        self.run = run
        self.path = path
        self._post = post
        self._stop, self._paused, self.ended = Flag(), Flag(), Flag()
        self._save_to: Path | None = None

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
        step_news_at = 0.0
        for event in checkpointed(self.run, self.path):
            if not isinstance(event, StepDone):
                self._post(TrainingNews(event))
            elif monotonic() - step_news_at >= STEP_NEWS_S:
                step_news_at = monotonic()
                self._post(TrainingNews(event))
            self._save_if_asked()
            while self._paused.is_set() and not self._stop.wait(_LOOK_UP_S):
                self._save_if_asked()
            if self._stop.is_set():
                return False
        return True

    def _give_up_name(self) -> None:
        """Remove the empty file that reserved the name, if nothing was saved into it."""
        with suppress(OSError):
            if self.path.stat().st_size == 0:
                self.path.unlink()

    def _save_if_asked(self) -> None:
        path, self._save_to = self._save_to, None
        if path is not None:
            try:
                self._post(ModelSaved(save(self.model, path)))
            except TinychatError as failure:
                self._post(ModelSaved(path, str(failure)))
