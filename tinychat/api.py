"""The two ways to come by a model from Python."""

from collections.abc import Callable
from pathlib import Path

from tinychat.config import preset as find_preset
from tinychat.corpus import Corpus, load_corpus
from tinychat.model import Model
from tinychat.training.events import Event
from tinychat.training.run import TrainingRun
from tinychat.weights import load as load_weights


def train(
    corpus: Corpus | str | Path = "basics",
    preset: str = "classic",
    seed: int = 0,
    *,
    pretrain_epochs: int | None = None,
    tune_epochs: int | None = None,
    on_event: Callable[[Event], object] = lambda _: None,
) -> Model:
    """Train a new model to the end and return it.

    Parameters
    ----------
    corpus : a Corpus, the name of a bundled corpus, or the path of a file or folder.
    preset : name of a model and recipe.
    seed : start of all random draws; the same seed gives the same weights, to the bit.
    pretrain_epochs, tune_epochs : instead of the preset's.
    on_event : is called with every event of the run, in the calling thread.

    Raises CorpusError, ConfigError or UsageError for input that makes no sense, and
    TrainingDivergedError if the loss stops being a number.
    """
    if not isinstance(corpus, Corpus):
        corpus = load_corpus(corpus)
    run = TrainingRun.start(corpus, find_preset(preset), seed, pretrain_epochs, tune_epochs)
    for event in run.run():
        on_event(event)
    return run.model


def load(path: str | Path) -> Model:
    """Read a model from an .npz file that `Model.save` wrote. Raise WeightsError if it is not one."""
    return load_weights(path)
