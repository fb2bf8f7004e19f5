"""Short runs from Python, of a corpus of a few lines."""

from pathlib import Path

import tinychat
from tinychat.corpus import Turn

FACTS = ("Rain falls from clouds.", "Snow is frozen rain.", "The sun melts the snow.")
ANSWERS = {"What falls?": "Rain falls.", "What melts?": "Snow melts.", "Who shines?": "The sun."}
CORPUS = tinychat.Corpus(
    "weather", FACTS, tuple((Turn(question, answer),) for question, answer in ANSWERS.items())
)


def short(corpus: tinychat.Corpus | str | Path = CORPUS, **arguments: object) -> tinychat.Model:
    """Train for an epoch a phase."""
    return tinychat.train(corpus, **{"pretrain_epochs": 1, "tune_epochs": 1, **arguments})  # type: ignore[arg-type]


def values(model: tinychat.Model) -> bytes:
    return model.transformer.parameters.values.tobytes()
