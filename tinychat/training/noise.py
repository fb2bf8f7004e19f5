"""Words as nobody has seen them: misspelt, as they slip in while typing, or made up."""

import re
import string
from collections.abc import Container

import numpy as np

_WORD = re.compile(r"[^\W\d_]{2,}")
_LETTERS = string.ascii_lowercase


def words(text: str) -> list[str]:
    """The words of two letters and more."""
    return _WORD.findall(text)


def with_noise(
    text: str, typos: float, strange: float, rare: Container[str], rng: np.random.Generator
) -> str:
    """Misspell each word of `text` with probability `typos`; make up another for a `rare` one with `strange`.

    Single letters and figures stay.
    """

    def perhaps(match: re.Match[str]) -> str:
        word, chance = match[0], rng.random()
        if word in rare and chance < strange:
            return made_up(len(word), rng)
        return misspelt(word, rng) if chance < typos else word

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
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = words[rng.integers(len(words))]
    place = int(rng.integers(word.start(), word.end()))
    others = _LETTERS.replace(text[place].lower(), "")
    return text[:place] + others[rng.integers(len(others))] + text[place + 1 :]
