"""A small corpus, models that learnt it, and the program to call."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_runs import UNSET, Outcome, read_only, write_corpus

import tinychat
from tinychat.cli import main


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths, the home folder and the saved models are the test's own; there is no terminal."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "USERPROFILE", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "__stdin__", io.StringIO())


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """`call("ask", "--load", path)` -> what came of it, in this process."""

    def call(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        try:
            code = main(list(map(str, arguments)))
        except SystemExit as leaving:  # argparse
            code = int(leaving.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """The folder of a corpus that the test may change."""
    return write_corpus(tmp_path / "weather")


@pytest.fixture(scope="session")
def kept_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same corpus, for all tests; leave it as it is."""
    return write_corpus(tmp_path_factory.mktemp("corpora") / "weather")


@pytest.fixture(scope="session")
def learned(kept_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file with a model that knows all three answers; leave it as it is."""
    model = tinychat.train(kept_corpus, pretrain_epochs=20, tune_epochs=60)
    yield from read_only(model.save(tmp_path_factory.mktemp("models") / "learned.npz"))


@pytest.fixture(scope="session")
def writer(kept_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file with a model that was only pre-trained, and knows the facts; leave it as it is."""
    model = tinychat.train(kept_corpus / "pretraining.txt", pretrain_epochs=40)
    yield from read_only(model.save(tmp_path_factory.mktemp("models") / "writer.npz"))


@pytest.fixture(scope="session")
def headed(kept_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with 2 layers of 4 heads that has learnt next to nothing."""
    model = tinychat.train(kept_corpus, preset="modern", pretrain_epochs=1, tune_epochs=1, workers=1)
    return model.save(tmp_path_factory.mktemp("models") / "headed.npz")


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A path where nobody can write, not even root: below a regular file."""
    (tmp_path / "regular").write_bytes(b"")
    return tmp_path / "regular" / "below"
