"""A corpus and a preset so small that a whole training run takes a blink."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from timings import without_timings

from tinychat.config import ModelConfig, TrainConfig
from tinychat.corpus import Corpus, Dialogue, Turn
from tinychat.model import Model
from tinychat.presets import Preset
from tinychat.training.events import Event
from tinychat.training.run import TrainingRun

FACTS = (
    "Rain falls from clouds.",
    "Snow is frozen rain that falls slowly.",
    "The sun melts the snow.",
    "Clouds hide the sun.",
    "Birds sing.",
)
DIALOGUES: tuple[Dialogue, ...] = (
    (Turn("What falls from clouds?", "Rain falls."),),
    (Turn("What melts the snow?", "The sun melts it."),),
    (Turn("Who sings?", "Birds sing."), Turn("When?", "When the sun is out.")),
)
CORPUS = Corpus("tiny", FACTS, DIALOGUES, source="tiny")


PRESET = Preset(
    name="tiny",
    summary="for tests",
    model={"n_layers": 2, "d_model": 16, "d_ff": 32, "head_dim": 16, "max_seq_len": 24},
    pretrain=TrainConfig(epochs=2, lr=0.005, sample_every=2),
    tune=TrainConfig(epochs=5, lr=0.002, sample_every=2),
)


def tiny_config(vocab_size: int) -> ModelConfig:
    return PRESET.model_config(vocab_size)


def start(corpus: Corpus = CORPUS, preset: Preset = PRESET, **arguments: Any) -> TrainingRun:
    return TrainingRun.start(corpus, preset, **arguments)


def with_epochs(pretrain: int, tune: int) -> TrainingRun:
    return start(pretrain_epochs=pretrain, tune_epochs=tune)


def trained(corpus: Corpus = CORPUS, preset: Preset = PRESET, **arguments: Any) -> Model:
    run = start(corpus, preset, **arguments)
    for _ in run.run():
        pass
    return run.model


def overfitting_preset() -> Preset:
    """Learns a handful of sentences by heart."""
    return replace(PRESET, pretrain=TrainConfig(epochs=5, lr=0.01), tune=TrainConfig(epochs=60, lr=0.01))


def comparable(events: Iterable[Event]) -> list[Any]:
    return [without_timings(event.to_dict()) for event in events]


def state(model: Model) -> dict[str, Any]:
    """All that makes a model, to the bit, but for the time that it took."""
    assert model.optimizer is not None
    progress = {phase: without_timings(asdict(p)) for phase, p in model.card.progress.items()}
    return {
        "values": model.transformer.parameters.values.tobytes(),
        "state": {name: vector.tobytes() for name, vector in model.optimizer.state.items()},
        "extras": {name: vector.tobytes() for name, vector in model.extras.items()},
        "optimizer": (model.optimizer.kind, model.optimizer.updates),
        "progress": progress,
        "configs": {phase: asdict(config) for phase, config in model.card.configs.items()},
    }


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.name for event in events]
