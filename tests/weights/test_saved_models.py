"""The folder of saved models: finding, listing, and whether it can be written to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from library import aged, model_of, not_on_windows, put

from tinychat.errors import StorageError, WeightsError
from tinychat.weights import load
from tinychat.weights.saved_models import LATEST, Library

# Finding


def test_by_path(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = model_of().save(tmp_path / "here" / "elsewhere.npz")
    assert library.find(str(path)) == path
    assert library.find("elsewhere.npz").samefile(path)
    assert library.find("../here/elsewhere.npz").samefile(path)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "here"))
    assert library.find("~/elsewhere.npz") == path


def test_by_name(library: Library) -> None:
    rain, snow = put(library, "rain", 10), put(library, "snow.v2", 20)
    assert library.find("rain") == library.find("rain.npz") == rain
    assert library.find("snow.v2") == library.find("snow.v2.npz") == snow


def test_a_path_goes_before_a_name(library: Library, tmp_path: Path) -> None:
    put(library, "rain", 10)
    here = model_of().save(tmp_path / "here" / "rain.npz")
    assert library.find("rain.npz").samefile(here)
    assert library.find("rain") == library.folder / "rain.npz"


def test_the_latest_is_the_one_written_last(library: Library) -> None:
    put(library, "a", 20)
    put(library, "b", 10)
    put(library, "c", 30)
    assert library.find(LATEST) == library.folder / "b.npz"
    aged(library.folder / "c.npz", 5)
    assert library.find("latest") == library.folder / "c.npz"


def test_a_folder_is_no_model(library: Library, tmp_path: Path) -> None:
    (tmp_path / "here" / "rain").mkdir()
    with pytest.raises(WeightsError, match="rain"):
        library.find("rain")
    put(library, "rain", 10)
    assert library.find("rain") == library.folder / "rain.npz"


@pytest.mark.parametrize("name", ["hail", "hail.npz", "", ".", "no/such/folder/m.npz"])
def test_what_is_not_there_is_told_with_what_is(library: Library, name: str) -> None:
    with pytest.raises(WeightsError, match="none yet") as caught:
        library.find(name)
    assert repr(name) in str(caught.value)
    put(library, "rain", 10)
    put(library, "snow", 20)
    with pytest.raises(WeightsError, match="rain, snow"):
        library.find(name)


def test_the_latest_of_none(library: Library) -> None:
    with pytest.raises(WeightsError, match="none yet"):
        library.find(LATEST)


def test_a_folder_called_like_a_model_is_not_the_latest(library: Library) -> None:
    rain = put(library, "rain", 10)
    (library.folder / "newer.npz").mkdir()
    assert library.find(LATEST) == rain


@not_on_windows
def test_a_link_to_nowhere_hides_no_other_model(library: Library) -> None:
    rain = put(library, "rain", 10)
    (library.folder / "gone.npz").symlink_to("nowhere.npz")
    assert library.find(LATEST) == rain
    assert [summary.path for summary in library.summaries()[0]] == [rain]


# Listing


def test_summaries_are_newest_first(library: Library) -> None:
    paths = [put(library, name, age, seed) for name, age, seed in (("a", 20, 1), ("b", 10, 2), ("c", 30, 3))]
    summaries, unreadable = library.summaries()
    assert unreadable == []
    assert [summary.path for summary in summaries] == [paths[1], paths[0], paths[2]]
    assert [summary.card.seed for summary in summaries] == [2, 1, 3]
    assert {summary.n_parameters for summary in summaries} == {model_of().n_parameters}


def test_summaries_of_nothing(library: Library, tmp_path: Path) -> None:
    assert library.summaries() == ([], [])
    library.folder.mkdir(parents=True)
    assert library.summaries() == ([], [])
    (tmp_path / "regular").write_text("")
    assert Library(tmp_path / "regular").summaries() == ([], [])


def test_damaged_files_are_told_and_others_are_skipped(library: Library) -> None:
    paths = [put(library, "first", 10), put(library, "last", 1000)]
    content = paths[0].read_bytes()
    # The description stands at the beginning, but without the directory at its end an archive is none.
    for number, length in enumerate([0, 1, 100, len(content) // 2, len(content) - 1]):
        (library.folder / f"cut-{number}.npz").write_bytes(content[:length])
        aged(library.folder / f"cut-{number}.npz", 100 + number)
    (library.folder / "folder.npz").mkdir()
    (library.folder / "notes.txt").write_text("no weights")
    (library.folder / "other-suffix.bin").write_bytes(content)
    (library.folder / "text.npz").write_text("no weights")
    aged(library.folder / "text.npz", 200)
    summaries, unreadable = library.summaries()
    assert [summary.path for summary in summaries] == paths
    # The first of those that were cut is empty: a name that is reserved.
    assert [path.stem for path in unreadable] == ["cut-1", "cut-2", "cut-3", "cut-4", "text"]


def test_a_file_that_is_being_written_is_not_listed(library: Library) -> None:
    path = put(library, "rain", 10)
    path.with_name(".rain.npz.123.tmp").write_bytes(path.read_bytes())
    assert [summary.path for summary in library.summaries()[0]] == [path]
    assert library.find(LATEST) == path


# Writing


def test_check_writable_makes_the_folder_and_leaves_nothing_in_it(library: Library) -> None:
    library.check_writable()
    library.check_writable()
    assert list(library.folder.iterdir()) == []


def test_check_writable_says_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "regular").write_text("content")
    for folder in (tmp_path / "regular", tmp_path / "regular" / "below" / "models"):
        with pytest.raises(StorageError) as caught:
            Library(folder).check_writable()
        assert str(folder) in str(caught.value)
        assert "--data-dir" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "regular").read_text() == "content"


@contextmanager
def without_the_right(folder: Path) -> Iterator[None]:
    """Within the block nobody may enter the folder; root becomes another user for as long."""
    root = os.geteuid() == 0
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)


@not_on_windows
def test_check_writable_without_the_right(library: Library) -> None:
    with without_the_right(library.folder), pytest.raises(StorageError, match="--data-dir"):
        library.check_writable()


@not_on_windows
def test_without_the_right_there_are_no_models(library: Library) -> None:
    put(library, "rain", 10)
    for folder in (library.folder, library.folder.parent):
        with without_the_right(folder):
            assert library.summaries() == ([], [])
            for name in ("rain", LATEST):
                with pytest.raises(WeightsError):
                    library.find(name)


@not_on_windows
def test_saving_and_loading_without_the_right(library: Library) -> None:
    path, model = put(library, "rain", 10), model_of()
    with without_the_right(library.folder):
        with pytest.raises(StorageError):
            model.save(path)
        with pytest.raises(WeightsError):
            load(path)
