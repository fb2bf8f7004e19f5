"""Train a small transformer language model by hand-written NumPy, and talk with it.

import tinychat

model = tinychat.train("basics", on_event=print)
print(model.ask("How do mountains form?"))
model.save("mountains.npz")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinychat.api import load, train
    from tinychat.config import ModelConfig, TrainConfig
    from tinychat.corpus import Corpus, load_corpus
    from tinychat.errors import TinychatError
    from tinychat.generation.beam import Beams
    from tinychat.generation.sampling import Sampling
    from tinychat.generation.session import ChatSession
    from tinychat.model import Model
    from tinychat.presets import PRESETS, Preset
    from tinychat.training.run import TrainingRun

_HOMES = {
    "tinychat.api": ("load", "train"),
    "tinychat.config": ("ModelConfig", "TrainConfig"),
    "tinychat.presets": ("PRESETS", "Preset"),
    "tinychat.corpus": ("Corpus", "load_corpus"),
    "tinychat.errors": ("TinychatError",),
    "tinychat.generation.beam": ("Beams",),
    "tinychat.generation.sampling": ("Sampling",),
    "tinychat.generation.session": ("ChatSession",),
    "tinychat.model": ("Model",),
    "tinychat.training.run": ("TrainingRun",),
}

__all__ = [
    "PRESETS",
    "Beams",
    "ChatSession",
    "Corpus",
    "Model",
    "ModelConfig",
    "Preset",
    "Sampling",
    "TinychatError",
    "TrainConfig",
    "TrainingRun",
    "load",
    "load_corpus",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for only when it is: `tinychat --help` needs no NumPy."""
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'tinychat' has no attribute {name!r}")
