"""Words as nobody has seen them: how often they come, and what is done to them."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.config import TrainConfig
from tinychat.training.noise import (
    made_up,
    misspelt,
    with_changed_letter,
    with_made_up_words,
    with_noise,
    words,
)

SEEDS = st.integers(0, 2**32)
WORDS = st.text("aabcxyzABéß", min_size=2, max_size=9)
TEXTS = st.lists(
    st.sampled_from(["What", "is", "a", "I", "3", "2nd", "don't", "Über", "?", ".", ",", "  ", "\n"])
).map(" ".join)
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
MANY = 4000


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def noisy(text: str, seed: int = 0, **recipe: Any) -> str:
    return with_noise(text, TrainConfig(**recipe), rng(seed))


def damerau(a: str, b: str) -> int:
    """Letters changed, left out, put in, or swapped with a neighbour on the way from one to the other."""
    rows = [list(range(len(b) + 1))]
    for i in range(1, len(a) + 1):
        row = [i]
        for j in range(1, len(b) + 1):
            best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, rows[i - 2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


# Words


def test_words_have_two_letters_at_least_and_no_figures() -> None:
    assert words("What is a 2nd I/O, Herr Größe? don't 42 x_yz") == [
        *("What", "is", "nd", "Herr", "Größe", "don", "yz"),
    ]
    assert words("") == words("a 1 ?") == []


# Misspelt words


@given(WORDS, SEEDS)
def test_a_misspelt_word_is_one_slip_away(word: str, seed: int) -> None:
    """Or none: a letter may come in its own place, or two neighbours be the same."""
    assert damerau(word, misspelt(word, rng(seed))) <= 1


def test_each_kind_of_slip_has_its_share() -> None:
    """Of a word of different letters that are none of the alphabet's, so that every slip shows."""
    word, draw, found = "αβγδε", rng(), {"changed": 0, "left out": 0, "put in": 0, "swapped": 0}
    for _ in range(MANY):
        other = misspelt(word, draw)
        assert damerau(word, other) == 1
        by_length = {4: "left out", 6: "put in"}
        same_letters = "swapped" if sorted(other) == sorted(word) else "changed"
        found[by_length.get(len(other), same_letters)] += 1
    shares = {kind: n / MANY for kind, n in found.items()}
    assert shares == pytest.approx(
        {"changed": 1 / 2, "left out": 1 / 6, "put in": 1 / 6, "swapped": 1 / 6}, abs=0.03
    )


def test_slips_happen_at_every_place_with_every_letter() -> None:
    draw = rng()
    found = {misspelt("αβγ", draw) for _ in range(MANY)}
    changed = {"αβγ"[:place] + letter + "αβγ"[place + 1 :] for place in range(3) for letter in ALPHABET}
    put_in = {"αβγ"[:place] + letter + "αβγ"[place:] for place in range(3) for letter in ALPHABET}
    assert found == changed | put_in | {"βγ", "αγ", "αβ", "βαγ", "αγβ"}


# Made-up words


@given(st.integers(0, 12), SEEDS)
def test_made_up_words_are_consonants_and_vowels_by_turns(length: int, seed: int) -> None:
    word = made_up(length, rng(seed))
    assert len(word) == length
    assert re.fullmatch("([bdfgklmnprstvz][aeiou])*[bdfgklmnprstvz]?", word)


def test_made_up_words_are_seldom_the_same() -> None:
    draw = rng()
    assert len({made_up(6, draw) for _ in range(1000)}) > 990


@given(TEXTS, SEEDS)
def test_made_up_words_come_for_chosen_words_alone(text: str, seed: int) -> None:
    chosen = {"what", "über", "don"}
    found = with_made_up_words(text, chosen, rng(seed))
    assert len(found) == len(text)
    pattern = "".join(
        f"[a-z]{{{len(part)}}}" if part.lower() in chosen else re.escape(part)
        for part in re.split(r"(\b[^\W\d_]+\b)", text)
    )
    assert re.fullmatch(pattern, found)
    assert ("What" in found, "Über" in found, "don" in found) == (False, False, False)


def test_the_same_word_is_made_up_anew_each_time() -> None:
    found = with_made_up_words("snow snow snow", {"snow"}, rng()).split()
    assert len(set(found)) == 3
    assert with_made_up_words("Snow falls", {"rain"}, rng()) == "Snow falls"


# Questions with noise


@given(TEXTS, SEEDS)
def test_without_shares_nothing_changes(text: str, seed: int) -> None:
    assert noisy(text, seed) == text


NOISE = {"typos": 0.3, "careless": 0.5}


@pytest.mark.parametrize("recipe", [NOISE, *({name: share} for name, share in NOISE.items())], ids=str)
def test_the_generator_alone_decides(recipe: dict[str, float]) -> None:
    text = "What is the name of the highest mountain?"
    found = [noisy(text, seed, **recipe) for seed in range(20)]
    assert found == [noisy(text, seed, **recipe) for seed in range(20)]
    assert len(set(found)) > 1


ALPHAS = "αβγδε " * 5 * MANY
"""Many words without a letter of the alphabet."""


@pytest.mark.parametrize("typos", [0.03, 0.3, 1.0])
def test_the_share_of_misspelt_words(typos: float) -> None:
    found = noisy(ALPHAS, typos=typos).split()
    assert len(found) == 5 * MANY
    assert np.mean([word != "αβγδε" for word in found]) == pytest.approx(typos, abs=0.01)
    assert all(damerau(word, "αβγδε") <= 1 for word in set(found))


def test_the_share_of_careless_questions() -> None:
    found = [noisy("Is Rome OLD?", seed, careless=0.3) for seed in range(MANY)]
    assert set(found) == {"Is Rome OLD?", "is rome old"}
    assert found.count("is rome old") / MANY == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Is it so?", "is it so"),
        ("IS IT SO ?!..  ", "is it so"),
        ("Is it. So", "is it. so"),
        ("Is it (so)?", "is it (so)"),
        ("Is it so,", "is it so,"),
    ],
)
def test_a_careless_question_has_no_capitals_and_no_mark_at_its_end(text: str, found: str) -> None:
    assert noisy(text, careless=1.0) == found


@pytest.mark.parametrize("text", ["?", "...", "?! "])
def test_a_question_of_nothing_but_marks_keeps_them(text: str) -> None:
    assert noisy(text, careless=1.0) == text


@given(SEEDS)
def test_single_letters_and_figures_stay(seed: int) -> None:
    text = "What is a 747 or I 3 x 5?"
    rest = noisy(text, seed, typos=1.0)
    assert re.findall(r"\d+|\?", rest) == ["747", "3", "5", "?"]
    assert re.search(r"\ba 747\b", rest)
    assert re.search(r"\bI 3 x 5\b", rest)


@given(SEEDS)
def test_misspelling_leaves_what_is_between_words(seed: int) -> None:
    gaps = re.compile(r"[^\W\d_]+")
    text = "What  is,\tthe 'end' - of (this) road?"
    assert gaps.split(noisy(text, seed, typos=1.0)) == gaps.split(text)


# One letter


@given(TEXTS, SEEDS)
def test_exactly_one_letter_of_one_word_changes(text: str, seed: int) -> None:
    found = with_changed_letter(text, rng(seed))
    assert len(found) == len(text)
    places = [place for place in range(len(text)) if found[place] != text[place]]
    if not words(text):
        assert places == []
        return
    [place] = places
    assert found[place] in ALPHABET
    assert found[place] != text[place].lower()
    within = [range(*match.span()) for match in re.finditer(r"[^\W\d_]{2,}", text)]
    assert any(place in word for word in within)


def test_every_letter_of_every_word_may_be_the_one_and_become_any_other() -> None:
    draw = rng()
    found = {with_changed_letter("Ab a cd", draw) for _ in range(MANY)}
    wanted = set()
    for place in (0, 1, 5, 6):
        for letter in set(ALPHABET) - {"Ab a cd"[place].lower()}:
            wanted.add("Ab a cd"[:place] + letter + "Ab a cd"[place + 1 :])
    assert found == wanted


def test_every_word_is_as_likely_whatever_its_length() -> None:
    draw = rng()
    text = "ab " + "c" * 30
    short = sum(with_changed_letter(text, draw)[:2] != "ab" for _ in range(MANY))
    assert short / MANY == pytest.approx(1 / 2, abs=0.03)
