"""The two ways to come by a model from Python."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinychat.corpus import Corpus, load_corpus
from tinychat.model import Model
from tinychat.presets import preset as find_preset
from tinychat.training.events import Event
from tinychat.training.run import TrainingRun
from tinychat.weights import load as load_weights


def train(
    corpus: Corpus | str | Path = "basics",
    preset: str = "classic",
    seed: int = 0,
    *,
    on_event: Callable[[Event], object] = lambda _: None,
    **changes: Any,
) -> Model:
    """Train a new model to the end and return it.

    Parameters
    ----------
    corpus : a Corpus, the name of a bundled corpus, or the path of a file or folder.
    preset : name of a model and recipe.
    seed : start of all random draws; the same seed gives the same weights, to the bit.
    on_event : is called with every event of the run, in the calling thread.
    changes : other values for parts of the preset, named as the flags are: `n_layers=2, tune_epochs=50`.

    Raises CorpusError, ConfigError or UsageError for input that makes no sense, and
    TrainingDivergedError if the loss stops being a number.
    """
    if not isinstance(corpus, Corpus):
        corpus = load_corpus(corpus)
    run = TrainingRun.start(corpus, find_preset(preset), seed, **changes)
    for event in run.run():
        on_event(event)
    return run.model


def load(path: str | Path) -> Model:
    """Read a model from an .npz file that `Model.save` wrote. Raise WeightsError if it is not one."""
    return load_weights(path)
