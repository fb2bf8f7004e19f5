"""Words as nobody has seen them: misspelt, as they slip in while typing, or made up."""

import re
import string
from collections.abc import Container
from functools import lru_cache

import numpy as np

from tinychat.config import TrainConfig

_WORD = re.compile(r"[^\W\d_]{2,}")
_LETTERS = string.ascii_lowercase


def words(text: str) -> list[str]:
    """The words of two letters and more."""
    return _WORD.findall(text)


@lru_cache(1 << 15)
def word_set(text: str) -> frozenset[str]:
    """The words of a text in lower case; remembered, as lessons ask for them again and again."""
    return frozenset(words(text.lower()))


def with_noise(text: str, config: TrainConfig, rng: np.random.Generator) -> str:
    """The question as somebody else might have typed it, with the shares of `config`.

    Of its words some are misspelt; single letters and figures stay. Some questions lose their capitals and
    the mark at their end.
    """

    def perhaps(match: re.Match[str]) -> str:
        return misspelt(match[0], rng) if rng.random() < config.typos else match[0]

    noisy = _WORD.sub(perhaps, text)
    if rng.random() < config.careless:
        noisy = noisy.lower().rstrip("?.! ") or noisy
    return noisy


def with_made_up_words(text: str, chosen: Container[str], rng: np.random.Generator) -> str:
    """Put a made-up word for every word that is `chosen` in lower case."""

    def perhaps(match: re.Match[str]) -> str:
        return made_up(len(match[0]), rng) if match[0].lower() in chosen else match[0]

    return _WORD.sub(perhaps, text)


def made_up(length: int, rng: np.random.Generator) -> str:
    """Consonants and vowels by turns."""
    letters = [("bdfgklmnprstvz", "aeiou")[place % 2] for place in range(length)]
    return "".join(choice[rng.integers(len(choice))] for choice in letters)


def misspelt(word: str, rng: np.random.Generator) -> str:
    """Change one letter (half of all cases), leave one out, put one in, or swap two neighbours.

    `word` has two letters at least. The kinds are those of Damerau 1964, to which most misspellings belong.
    """
    place = int(rng.integers(len(word)))
    letter = _LETTERS[rng.integers(len(_LETTERS))]
    kind = rng.integers(6)
    if kind < 3:
        return word[:place] + letter + word[place + 1 :]
    if kind == 3:
        return word[:place] + word[place + 1 :]
    if kind == 4:
        return word[:place] + letter + word[place:]
    place = min(place, len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def with_changed_letter(text: str, rng: np.random.Generator) -> str:
    """Change one letter of one word of `text` into another; without a word of two letters, no change."""
    found = list(_WORD.finditer(text))
    if not found:
        return text
    word = found[rng.integers(len(found))]
    place = int(rng.integers(word.start(), word.end()))
    others = _LETTERS.replace(text[place].lower(), "")
    return text[:place] + others[rng.integers(len(others))] + text[place + 1 :]
