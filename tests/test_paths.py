"""Where things are kept."""

import sys
from pathlib import Path

import pytest

from tinychat.errors import UsageError
from tinychat.paths import data_dir, models_dir, user_path


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


def test_a_path_of_a_user(tmp_path: Path) -> None:
    for text in ("a/b.npz", "", "with spaces", "山"):
        assert user_path(text) == user_path(Path(text)) == Path(text)
    assert user_path("~/a") == tmp_path / "home" / "a"


@pytest.mark.parametrize("text", ["~nobody-has-this-name/a", "x" * 5000, "a\x00b"])
@pytest.mark.skipif(sys.platform == "win32", reason="there, other things cannot be paths")
def test_what_cannot_be_a_path(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be a path") as caught:
        user_path(text)
    assert repr(text[:80]) in str(caught.value)
