"""Where things are kept."""

import sys
from pathlib import Path

import pytest

from tinychat.paths import data_dir, models_dir


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


def test_a_folder_that_is_given_is_taken(tmp_path: Path) -> None:
    assert data_dir(tmp_path / "mine") == tmp_path / "mine"
    assert data_dir(str(tmp_path / "mine")) == tmp_path / "mine"
    assert models_dir(tmp_path / "mine") == tmp_path / "mine" / "models"


def test_a_tilde_is_the_home_folder(tmp_path: Path) -> None:
    assert data_dir("~/mine") == tmp_path / "home" / "mine"
    assert models_dir("~/mine") == tmp_path / "home" / "mine" / "models"


def test_otherwise_it_is_a_folder_of_the_user() -> None:
    assert data_dir().is_absolute()
    assert data_dir().name == "tinychat"
    assert models_dir() == data_dir() / "models"


@pytest.mark.skipif(sys.platform != "linux", reason="the rules of the XDG base directories")
def test_on_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_dir() == tmp_path / "home" / ".local" / "share" / "tinychat"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "elsewhere"))
    assert models_dir() == tmp_path / "elsewhere" / "tinychat" / "models"


def test_asking_creates_nothing(tmp_path: Path) -> None:
    data_dir()
    models_dir()
    models_dir(tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []
