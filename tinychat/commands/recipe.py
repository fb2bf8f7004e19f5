"""From the flags of a training command to a TrainingRun."""

import argparse

from tinychat.corpus import load_corpus
from tinychat.corpus.bundled import DEFAULT
from tinychat.errors import CorpusError, UsageError
from tinychat.paths import models_dir
from tinychat.presets import RECIPE_FIELDS, preset
from tinychat.training.run import TrainingRun
from tinychat.weights import load
from tinychat.weights.saved_models import Library

_FIXED_BY_RESUME = ("preset", "seed", *RECIPE_FIELDS)


def library(args: argparse.Namespace) -> Library:
    return Library(models_dir(getattr(args, "data_dir", None)))


def resumed(name: str, library: Library, corpus_source: str | None = None) -> TrainingRun:
    """Go on with saved weights, on the corpus they came from unless it was moved to `corpus_source`."""
    model = load(library.find(name))
    try:
        return TrainingRun.resume(model, corpus_source)
    except CorpusError as error:
        raise CorpusError(f"to go on training, its corpus is needed: {error} (with --corpus)") from None


def training_run(args: argparse.Namespace) -> TrainingRun:
    """A new run, or the one to resume. Raise UsageError for flags that contradict each other."""
    if "resume" in args:
        for flag in _FIXED_BY_RESUME:
            if flag in args:
                raise UsageError(f"--resume goes on as it was begun; leave out --{flag.replace('_', '-')}")
        return resumed(args.resume, library(args), getattr(args, "corpus", None))
    changes = {name: getattr(args, name) for name in RECIPE_FIELDS if name in args}
    recipe = preset(getattr(args, "preset", "classic")).changed(changes)
    return TrainingRun.start(load_corpus(getattr(args, "corpus", DEFAULT)), recipe, getattr(args, "seed", 0))
