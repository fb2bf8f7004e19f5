"""What a misspelt word was meant to be: the known word that is one slip away (Damerau 1964; Norvig 2007)."""

import string
from collections.abc import Iterator, Mapping

SHORTEST = 5
"""Letters; a shorter word is one slip away from too many others."""


class Speller:
    """Knows words and how often each of them was used."""

    def __init__(self, uses: Mapping[str, int]) -> None:
        self._uses = uses
        self._by_lower: dict[str, str] = {}
        for word in sorted(uses, key=lambda word: (-uses[word], word)):
            self._by_lower.setdefault(word.lower(), word)
        self._longest = max(map(len, self._by_lower), default=0)

    def nearest(self, word: str) -> str | None:
        """The known word meant by an unknown one, or None: first one that differs in capitals alone, then
        the one most used of those with a letter changed, left out or put in, or two neighbours swapped.

        The first letter stays: it is seldom wrong (Pollock & Zamora 1984), and a word that another letter
        begins is likelier one that was never learnt.
        """
        lower = word.lower()
        if lower in self._by_lower:
            return self._by_lower[lower]
        if not word.isalpha() or not SHORTEST <= len(word) <= self._longest + 1:
            return None
        found = {self._by_lower[near] for near in _one_slip_away(lower) if near in self._by_lower}
        return min(found, key=lambda known: (-self._uses[known], known), default=None)


def _one_slip_away(word: str) -> Iterator[str]:
    """All words whose first letter is the same."""
    for place in range(1, len(word) + 1):
        before, behind = word[:place], word[place:]
        if len(behind) > 1:
            yield before + behind[1] + behind[0] + behind[2:]
        if behind:
            yield before + behind[1:]
        for letter in string.ascii_lowercase:
            yield before + letter + behind
            if behind:
                yield before + letter + behind[1:]
