"""Misspelt words, as they slip in while typing."""

import re
import string

import numpy as np

_WORD = re.compile(r"[^\W\d_]{2,}")
_LETTERS = string.ascii_lowercase


def with_typos(text: str, share: float, rng: np.random.Generator) -> str:
    """Misspell each word of `text` with probability `share`; single letters and figures stay."""

    def perhaps(match: re.Match[str]) -> str:
        return misspelt(match[0], rng) if rng.random() < share else match[0]

    return _WORD.sub(perhaps, text)


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
