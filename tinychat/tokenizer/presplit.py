r"""GPT-2's pre-split: a text falls into words, numbers, punctuation and white space before pairs are merged.

    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

(https://github.com/openai/gpt-2/blob/master/src/encoder.py). Python's `re` knows neither \p{L} nor \p{N}, and
its \s takes in four control characters that Unicode does not count as white space; the classes below are
Unicode's, in the version that this Python has.
"""

import re
from functools import cache
from itertools import groupby

SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Body of a character class: Unicode's property White_Space."""

_LAST_NUMBER = 0x1FFFF
"""No character above is a number: planes 2 and 3 are ideographs, those behind are marks and private use."""


def pieces_of(text: str) -> list[str]:
    """The pieces of `text`; joined, they are `text` again."""
    return _pattern().findall(text)


@cache
def letter_and_number() -> tuple[str, str]:
    r"""Bodies of two character classes: \p{L}, which begins with a `^`, and \p{N}.

    Letters and numbers are what \w has besides the underscore. Its numbers are \d and those that are neither
    decimal nor letters, as ½ and Ⅳ.
    """
    others = [
        code
        for code in range(_LAST_NUMBER + 1)
        if (char := chr(code)).isnumeric() and not char.isdecimal() and not char.isalpha()
    ]
    ranges = ""
    for _, run in groupby(enumerate(others), key=lambda item: item[1] - item[0]):
        codes = [code for _, code in run]
        ranges += rf"\U{codes[0]:08x}-\U{codes[-1]:08x}"
    return rf"^\W\d_{ranges}", rf"\d{ranges}"


@cache
def _pattern() -> re.Pattern[str]:
    letter, number = letter_and_number()
    alternatives = (
        "'(?:s|t|re|ve|m|ll|d)",
        f" ?[A-Za-z]++(?![{letter}])",  # not needed, but twice as fast as what follows
        f" ?[{letter}]+",
        f" ?[{number}]+",
        rf" ?(?:[^{SPACE}\w]|_)+",
        f"[{SPACE}]+(?![^{SPACE}])",
        f"[{SPACE}]+",
    )
    return re.compile("|".join(alternatives))
