import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.tokenizer import CharTokenizer, WordTokenizer
from tinychat.tokenizer.spelling import SHORTEST, Speller

SPELLER = Speller({"planet": 3, "plants": 7, "Saturn": 2, "saturn": 1, "What": 5, "star": 9, "three": 1})


@pytest.mark.parametrize(
    ("word", "known"),
    [
        pytest.param("plonet", "planet", id="another letter"),
        pytest.param("plnet", "planet", id="a letter left out"),
        pytest.param("planeet", "planet", id="a letter put in"),
        pytest.param("palnet", "planet", id="neighbours swapped"),
        pytest.param("planetx", "planet", id="a letter behind"),
        pytest.param("plane", "planet", id="without its last letter"),
        pytest.param("Plonet", "planet", id="whatever the capitals"),
        pytest.param("PLANET", "planet", id="capitals alone"),
        pytest.param("what", "What", id="a short word in other capitals"),
        pytest.param("SATURN", "Saturn", id="of two the one more used"),
        pytest.param("plant", "plants", id="the one more used, though two are as near"),
    ],
)
def test_the_known_word_one_slip_away(word: str, known: str) -> None:
    assert SPELLER.nearest(word) == known


@pytest.mark.parametrize(
    "word",
    [
        "plxnxt",
        "slanet",
        "lanet",
        "xplanet",
        "lpanet",
        "stan",
        "stxr",
        "Jupiter",
        "",
        "pl4net",
        "plan-et",
        "x" * 5000,
    ],
)
def test_no_word_is_near(word: str) -> None:
    """Two slips, another first letter, too short a word, no letters, or none like it."""
    assert SPELLER.nearest(word) is None


def one_slip(a: str, b: str) -> bool:
    """The definition of Damerau 1964, letter by letter."""
    if len(a) == len(b):
        differ = [i for i in range(len(a)) if a[i] != b[i]]
        if len(differ) == 2:
            i, j = differ
            return j == i + 1 and a[i] == b[j] and a[j] == b[i]
        return len(differ) == 1
    short, long = sorted((a, b), key=len)
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


WORDS = st.text("abc", min_size=1, max_size=8)


@given(st.dictionaries(WORDS, st.integers(1, 3), min_size=1, max_size=30), WORDS)
def test_by_definition(uses: dict[str, int], word: str) -> None:
    if word in uses:
        wanted: str | None = word
    elif len(word) < SHORTEST:
        wanted = None
    else:
        near = [known for known in uses if known[0] == word[0] and one_slip(known, word)]
        wanted = min(near, key=lambda known: (-uses[known], known), default=None)
    assert Speller(uses).nearest(word) == wanted


@given(st.sampled_from(["planet", "Saturn"]), st.integers(1, 5), st.sampled_from(string.ascii_lowercase))
def test_a_slip_behind_the_first_letter_is_always_found(word: str, place: int, letter: str) -> None:
    assert Speller({word: 1}).nearest(word[:place] + letter + word[place + 1 :]) == word


def test_a_word_tokenizer_knows_how_often_each_word_was_used() -> None:
    tokenizer = WordTokenizer.train(["plants plants planet"])
    assert tokenizer.nearest("plant") == "plants"
    again = WordTokenizer.from_dict(tokenizer.to_dict())
    assert again.nearest("plant") == "plants"


def test_where_tokens_are_no_words_nothing_is_respelt() -> None:
    assert CharTokenizer.train(["planet"]).nearest("plonet") is None
