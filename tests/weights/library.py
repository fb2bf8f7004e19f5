"""Small models in a folder of saved models, as old as they should be."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tinychat.config import TrainConfig
from tinychat.corpus import Corpus
from tinychat.model import Model, ModelCard
from tinychat.presets import Preset
from tinychat.training.run import TrainingRun
from tinychat.weights.saved_models import Library

CORPUS = Corpus("weather", facts=("Rain falls from clouds.", "Snow is frozen rain."), source="weather")
TINY = Preset(
    name="tiny",
    summary="for tests",
    model={"n_layers": 1, "d_model": 8, "d_ff": 8, "head_dim": 8, "max_seq_len": 8},
    pretrain=TrainConfig(epochs=1),
    tune=TrainConfig(epochs=1),
)
not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="links and rights of POSIX")


def model_of(seed: int = 0) -> Model:
    return TrainingRun.start(CORPUS, TINY, seed).model


def card_of(corpus: str = "weather", preset: str = "classic", seed: int = 0) -> ModelCard:
    return replace(model_of().card, corpus=corpus, preset=preset, seed=seed)


def put(library: Library, name: str, age_s: int, seed: int = 0) -> Path:
    """Save a model under a name, as if so many seconds ago."""
    return aged(model_of(seed).save(library.path_for(name)), age_s)


def aged(path: Path, age_s: int) -> Path:
    os.utime(path, (1_700_000_000 - age_s,) * 2)
    return path
