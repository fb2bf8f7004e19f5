"""Files are written whole or not at all, and it is told where none can be."""

import os
import stat
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from tinychat import weights
from tinychat.errors import StorageError, UsageError
from tinychat.model import Model


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("a", "a.npz"),
        ("a.npz", "a.npz"),
        ("a.tar", "a.tar.npz"),
        ("v1.2", "v1.2.npz"),
        ("a b ü", "a b ü.npz"),
    ],
)
def test_the_suffix_is_added_where_it_is_missing(
    model: Model, tmp_path: Path, given: str, written: str
) -> None:
    assert weights.save(model, str(tmp_path / given)) == tmp_path / written
    assert [path.name for path in tmp_path.iterdir()] == [written]
    assert model.save(tmp_path / given) == tmp_path / written


def test_folders_are_made_and_the_home_folder_is_understood(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    path = weights.save(model, "~/one/two/model")
    assert path == tmp_path / "one" / "two" / "model.npz"
    assert weights.load("~/one/two/model.npz").card == weights.read_summary("~/one/two/model.npz").card


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_the_file_has_the_permissions_of_any_new_file(saved: Path) -> None:
    other = saved.with_name("other")
    other.touch()
    assert stat.S_IMODE(saved.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_a_new_file_takes_the_place_of_the_old(model: Model, saved: Path) -> None:
    model.transformer.parameters.values += 1
    assert weights.save(model, saved) == saved
    np.testing.assert_array_equal(
        weights.load(saved).transformer.parameters.values, model.transformer.parameters.values
    )
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


class Breaking:
    """An array that fails when half of the file is written."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt(), MemoryError()])
def test_an_interrupted_saving_leaves_the_old_file_and_nothing_else(
    model: Model, saved: Path, error: BaseException
) -> None:
    before = saved.read_bytes()
    assert model.optimizer is not None
    model.optimizer.state["m"] = Breaking(error)  # type: ignore[assignment]
    with pytest.raises(type(error)):
        weights.save(model, saved)
    assert saved.read_bytes() == before
    with pytest.raises(type(error)):
        weights.save(model, saved.with_name("new"))
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(model: Model, saved: Path) -> None:
    resource = pytest.importorskip("resource")
    before = saved.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(StorageError) as caught:
            weights.save(model, saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "\n" not in str(caught.value)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


@pytest.mark.parametrize("place", ["file/model", "file/deep/model", "folder.npz", ".", ""])
def test_a_place_that_cannot_be_written(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "file").write_text("a regular file")
    (tmp_path / "folder.npz").mkdir()
    monkeypatch.chdir(tmp_path)
    for path in (place, tmp_path / place if Path(place).name else Path("/")):
        with pytest.raises(StorageError) as caught:
            weights.save(model, path)
        assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.npz"]


@pytest.mark.parametrize("place", ["n" * 300, "nul\0", "~nobody-of-this-name/model"])
def test_a_path_that_no_file_can_have(model: Model, tmp_path: Path, place: str) -> None:
    for path in (place, tmp_path / place) if place[0] != "~" else (place,):
        with pytest.raises(UsageError, match="cannot be a path"):
            weights.save(model, path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_ours(model: Model, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="choose another place"):
            weights.save(model, tmp_path / "model")
    finally:
        tmp_path.chmod(0o700)
