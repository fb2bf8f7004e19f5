"""What a training tells the screen: messages without what makes them, which takes long to import."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tinychat.model import Model
    from tinychat.training.events import Event


@dataclass
class TrainingNews(Message):
    """Something happened in the run."""

    event: "Event"


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


@dataclass
class ModelCopied(Message):
    """The answer to `request_copy`: a model of its own, and what it had learnt by then."""

    model: "Model"
    learnt: str
