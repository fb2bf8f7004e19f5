from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import archives
import numpy as np
import pytest
from archives import Members
from refusals import Refuse, assert_refused

from tinychat import weights
from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats
from tinychat.corpus import Corpus, Turn
from tinychat.model import Model
from tinychat.presets import Preset
from tinychat.training.events import StepDone
from tinychat.training.run import TrainingRun
from tinychat.weights.saved_models import Library

CORPUS = Corpus(
    "tiny",
    ("Rain falls from clouds.", "The sun melts the snow.", "Birds “sing”."),
    ((Turn("What falls?", "Rain falls."),), (Turn("Who sings?", "Birds sing."), Turn("When?", "In spring."))),
    source="tiny",
)
PRESET = Preset(
    name="tiny",
    summary="for tests",
    model={"n_layers": 2, "d_model": 16, "d_ff": 32, "head_dim": 16, "max_seq_len": 24},
    pretrain=TrainConfig(epochs=2, lr=0.005),
    tune=TrainConfig(epochs=3, lr=0.002),
)


def _interrupted() -> Model:
    """Stopped within the second epoch of its second phase, so that no figure of its history is 0."""
    run = TrainingRun.start(CORPUS, PRESET, seed=7)
    steps = (event for event in run.run() if isinstance(event, StepDone))
    for _ in islice(steps, 9):
        pass
    progress = run.model.card.progress["tune"]
    assert (progress.epoch, progress.step) == (1, 1)
    rng = np.random.default_rng(0)
    run.model.extras["average"] = rng.standard_normal(run.model.n_parameters, dtype=np.float32)
    return run.model


@pytest.fixture
def model() -> Model:
    return _interrupted()


@pytest.fixture
def saved(model: Model, tmp_path: Path) -> Path:
    return weights.save(model, tmp_path / "model.npz")


@pytest.fixture(scope="session")
def _contents(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return weights.save(_interrupted(), tmp_path_factory.mktemp("good") / "model.npz").read_bytes()


@pytest.fixture
def good(_contents: bytes, tmp_path: Path) -> Path:
    """A copy of a file that is whole, to be damaged."""
    path = tmp_path / "model.npz"
    path.write_bytes(_contents)
    return path


@pytest.fixture
def everything() -> Callable[[Model], dict[str, Any]]:
    """All that a model is, in a form that can be compared to the bit."""

    def everything(model: Model) -> dict[str, Any]:
        optimizer = model.optimizer
        return {
            "values": model.transformer.parameters.values.tobytes(),
            "config": model.config,
            "card": model.card,
            "tokenizer": model.tokenizer.to_dict(),
            "optimizer": optimizer and (optimizer.kind, optimizer.updates, bits(optimizer.state)),
            "extras": bits(model.extras),
        }

    def bits(vectors: dict[str, Floats]) -> dict[str, bytes]:
        return {name: vector.tobytes() for name, vector in vectors.items()}

    return everything


@pytest.fixture
def refuse(good: Path) -> Refuse:
    """Change the members of a good file by a function, and see that the result is refused."""

    def refuse(
        change: Callable[[Members], Members | None], match: str = ".", summary_too: bool = True
    ) -> None:
        members = archives.read(good)
        path = archives.write(good.with_name("changed.npz"), change(members) or members)
        assert_refused(path, match, summary_too)

    return refuse


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Empty; its folder is not there yet. The current folder is another."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return Library(tmp_path / "data" / "models")
