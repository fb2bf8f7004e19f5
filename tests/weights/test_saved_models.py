"""The saved models of a user, by name."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tinychat.config import TrainConfig
from tinychat.corpus import Corpus
from tinychat.errors import StorageError, UsageError, WeightsError
from tinychat.model import Model, ModelCard
from tinychat.presets import Preset
from tinychat.training.run import TrainingRun
from tinychat.weights import load
from tinychat.weights.saved_models import LATEST, Library

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


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Empty; its folder is not there yet. The current folder is another."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return Library(tmp_path / "data" / "models")


def put(library: Library, name: str, age_s: int, seed: int = 0) -> Path:
    """Save a model under a name, as if so many seconds ago."""
    return aged(model_of(seed).save(library.path_for(name)), age_s)


def aged(path: Path, age_s: int) -> Path:
    os.utime(path, (1_700_000_000 - age_s,) * 2)
    return path


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
    assert [summary.path for summary in library.summaries()] == [rain]


# Listing


def test_summaries_are_newest_first(library: Library) -> None:
    paths = [put(library, name, age, seed) for name, age, seed in (("a", 20, 1), ("b", 10, 2), ("c", 30, 3))]
    summaries = library.summaries()
    assert [summary.path for summary in summaries] == [paths[1], paths[0], paths[2]]
    assert [summary.card.seed for summary in summaries] == [2, 1, 3]
    assert {summary.n_parameters for summary in summaries} == {model_of().n_parameters}


def test_summaries_of_nothing(library: Library, tmp_path: Path) -> None:
    assert library.summaries() == []
    library.folder.mkdir(parents=True)
    assert library.summaries() == []
    (tmp_path / "regular").write_text("")
    assert Library(tmp_path / "regular").summaries() == []


def test_damaged_and_other_files_are_skipped(library: Library) -> None:
    paths = [put(library, "first", 10), put(library, "last", 1000)]
    content = paths[0].read_bytes()
    # The description stands at the beginning, but without the directory at its end an archive is none.
    for number, length in enumerate([0, 1, 100, len(content) // 2, len(content) - 1]):
        (library.folder / f"cut-{number}.npz").write_bytes(content[:length])
        aged(library.folder / f"cut-{number}.npz", 100 + number)
    (library.folder / "text.npz").write_text("no weights")
    (library.folder / "folder.npz").mkdir()
    (library.folder / "notes.txt").write_text("no weights")
    (library.folder / "other-suffix.bin").write_bytes(content)
    assert [summary.path for summary in library.summaries()] == paths


def test_a_file_that_is_being_written_is_not_listed(library: Library) -> None:
    path = put(library, "rain", 10)
    path.with_name(".rain.npz.123.tmp").write_bytes(path.read_bytes())
    assert [summary.path for summary in library.summaries()] == [path]
    assert library.find(LATEST) == path


# Naming

GOOD_NAMES = [
    "rain",
    "Rain 2",
    "a",
    "ä",
    "山",
    "😀",
    "v1.2",
    "a-b_c",
    "(x)",
    "[x]",
    "x" * 100,
    "it's",
    "100%",
]
BAD_NAMES = [
    *("", " ", ".", "..", ".hidden", ".npz", " .npz ", "a/b", "../a", "/etc/a", "a\\b", "C:a", "a*", "a?"),
    *('"a"', "<a>", "a|b", "a\nb", "a\tb", "a\x00b", "a\x1bb", "x" * 101),
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_good_name(library: Library, name: str) -> None:
    path = library.path_for(name)
    assert path == library.folder / f"{name}.npz"
    assert library.path_for(f" {name}.npz ") == path
    assert model_of().save(path) == path
    assert library.find(name) == path


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name(library: Library, name: str) -> None:
    with pytest.raises(UsageError, match="name of a file"):
        library.path_for(name)


def test_a_name_that_is_taken_may_be_used_again(library: Library) -> None:
    put(library, "rain", 10, seed=1)
    put(library, "rain", 10, seed=2)
    assert [summary.card.seed for summary in library.summaries()] == [2]


@pytest.mark.parametrize("character", ["山", "😀"])
def test_a_name_that_is_allowed_can_be_saved(library: Library, character: str) -> None:
    """File systems count bytes: such a name must be refused, or work."""
    name = character * 100
    try:
        path = library.path_for(name)
    except UsageError:
        return
    assert model_of().save(path).is_file()


# New names


def test_a_new_path_tells_corpus_preset_and_seed(library: Library) -> None:
    path = library.new_path(card_of("weather", "classic", 42))
    assert path.parent == library.folder
    assert path.suffix == ".npz"
    assert ("weather" in path.stem, "classic" in path.stem, "42" in path.stem) == (True, True, True)
    assert not library.folder.exists()


def test_new_paths_never_collide(library: Library) -> None:
    paths = []
    for _ in range(12):
        path = library.new_path(card_of())
        assert not path.exists()
        model_of().save(path)
        paths.append(path)
    assert len(set(paths)) == 12
    assert len(library.summaries()) == 12
    paths[4].unlink()
    assert library.new_path(card_of()) not in {*paths[:4], *paths[5:]}


def test_other_runs_have_other_names(library: Library) -> None:
    cards = [card_of(), card_of(corpus="snow"), card_of(preset="modern"), card_of(seed=1)]
    assert len({library.new_path(card) for card in cards}) == 4


@pytest.mark.parametrize(
    "corpus",
    ["../../up", ".texts", "a/b\\c", 'x:*?"<>|y', "with spaces", "山" * 50, "x" * 300, "line\nbreak", ""],
)
def test_a_new_path_is_a_good_name_whatever_the_corpus_is_called(library: Library, corpus: str) -> None:
    cards = [card_of(corpus=corpus, seed=seed) for seed in (0, 1)]
    paths = []
    for card in cards:
        path = library.new_path(card)
        assert path.parent == library.folder
        assert library.path_for(path.stem) == path
        paths.append(model_of().save(path))
    assert paths[0] != paths[1]
    assert len(library.summaries()) == 2


def test_a_new_path_for_a_seed_of_many_digits(library: Library) -> None:
    assert model_of().save(library.new_path(card_of(seed=10**300))).is_file()


def test_a_reserved_name_is_nobody_elses_and_lists_no_model(library: Library) -> None:
    first, second = library.reserve(card_of()), library.reserve(card_of())
    assert first != second
    assert library.new_path(card_of()) not in (first, second)
    assert library.summaries() == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_that_leads_nowhere_takes_a_name(library: Library) -> None:
    taken = library.new_path(card_of())
    taken.parent.mkdir(parents=True)
    taken.symlink_to("nowhere")
    assert library.reserve(card_of()) != taken


@pytest.mark.parametrize("place", [".", "below"])
def test_no_name_is_reserved_where_the_folder_is_a_file(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write to .*; choose another folder with --data-dir"):
        Library(tmp_path / "file" / place).reserve(card_of())


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
            assert library.summaries() == []
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
