"""Names of saved models: those that are allowed, and new ones that nobody has."""

import sys
from pathlib import Path

import pytest
from library import card_of, model_of, put

from tinychat.errors import StorageError, UsageError
from tinychat.weights.saved_models import Library

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
    assert [summary.card.seed for summary in library.summaries()[0]] == [2]


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
    assert len(library.summaries()[0]) == 12
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
    assert len(library.summaries()[0]) == 2


def test_a_new_path_for_a_seed_of_many_digits(library: Library) -> None:
    assert model_of().save(library.new_path(card_of(seed=10**300))).is_file()


def test_a_reserved_name_is_nobody_elses_and_lists_no_model(library: Library) -> None:
    first, second = library.reserve(card_of()), library.reserve(card_of())
    assert first != second
    assert library.new_path(card_of()) not in (first, second)
    assert library.summaries() == ([], [])


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
