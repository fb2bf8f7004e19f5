"""From the flags of a training command to a TrainingRun. What needs NumPy is imported when it is used."""

import argparse
from typing import TYPE_CHECKING

from tinychat.corpus.bundled import DEFAULT, load_corpus
from tinychat.errors import CorpusError, UsageError
from tinychat.paths import models_dir
from tinychat.presets import RECIPE_FIELDS, Preset, preset
from tinychat.weights.saved_models import Library

if TYPE_CHECKING:
    from tinychat.training.run import TrainingRun

_FIXED_BY_RESUME = ("preset", "seed", *RECIPE_FIELDS)


def library(args: argparse.Namespace) -> Library:
    return Library(models_dir(getattr(args, "data_dir", None)))


def corpus_source(args: argparse.Namespace) -> str:
    """Of a new run."""
    source: str = getattr(args, "corpus", DEFAULT)
    return source


def new_recipe(args: argparse.Namespace) -> Preset:
    """Of a new run. Raise ConfigError for values that make no sense."""
    changes = {name: getattr(args, name) for name in RECIPE_FIELDS if name in args}
    return preset(getattr(args, "preset", "classic")).changed(changes)


def check_resume(args: argparse.Namespace) -> None:
    """Raise UsageError for flags that contradict --resume."""
    for flag in _FIXED_BY_RESUME:
        if flag in args:
            raise UsageError(f"--resume goes on as it was begun; leave out --{flag.replace('_', '-')}")


def resumed(name: str, library: Library, corpus_source: str | None = None) -> "TrainingRun":
    """Go on with saved weights, on the corpus they came from unless it was moved to `corpus_source`."""
    from tinychat.training.run import TrainingRun
    from tinychat.weights import load

    model = load(library.find(name))
    try:
        return TrainingRun.resume(model, corpus_source)
    except CorpusError as error:
        raise CorpusError(f"to go on training, its corpus is needed: {error} (with --corpus)") from None


def training_run(args: argparse.Namespace) -> "TrainingRun":
    """A new run, or the one to resume. Raise UsageError for flags that contradict each other."""
    if "resume" in args:
        check_resume(args)
        return resumed(args.resume, library(args), getattr(args, "corpus", None))
    from tinychat.training.run import TrainingRun

    recipe = new_recipe(args)
    return TrainingRun.start(load_corpus(corpus_source(args)), recipe, getattr(args, "seed", 0))
