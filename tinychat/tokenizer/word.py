"""Word tokenizer: a token is a word or one ASCII punctuation character, as in RustGPT; but nothing is lost.

Spaces cost no tokens where they stand as they do in ordinary English ("I'm well, thank you!"): which gap
is ordinary follows from the two neighbours (`_ordinary_gap`). Every other gap is spelled out: `<join>` where
a space would be expected and none is, a white-space token for each further space, tab or line break.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

from tinychat.errors import CorpusError, WeightsError
from tinychat.tokenizer.base import END, UNKNOWN, Piece
from tinychat.tokenizer.spelling import Speller

JOIN = "<join>"
WHITE_SPACE = (" ", "\n", "\t")
SPECIALS = (END, UNKNOWN, JOIN, *WHITE_SPACE)

_PIECE = re.compile(r"""[!-/:-@\[-`{-~]|[^\s!-/:-@\[-`{-~]+""")
_RARE_SPACE = re.compile(r"[^\S \n\t]")
_NO_SPACE_BEFORE = frozenset(".,!?;:)]}%'-/_")
_NO_SPACE_AFTER = frozenset("([{'-/_$#@")
_INSIDE_NUMBER = frozenset(".,:")


def split(text: str) -> list[tuple[int, int]]:
    """Start and end of every word and punctuation character of `text`, in order."""
    return [match.span() for match in _PIECE.finditer(text)]


def words_of(text: str) -> list[str]:
    """Every word and punctuation character of `text`, in order."""
    return [text[start:end] for start, end in split(text)]


class WordTokenizer:
    """One id for every word of the training text. Ids of SPECIALS come first, words follow sorted."""

    def __init__(self, words: Iterable[str], uses: Iterable[int] | None = None) -> None:
        """`uses` tells how often each word stands in the training text; without it, all the same."""
        self.words = (*SPECIALS, *words)
        self._uses = (1,) * (len(self.words) - len(SPECIALS)) if uses is None else tuple(uses)
        self._ids = {word: index for index, word in enumerate(self.words) if index >= len(SPECIALS)}
        self._white_space_ids = {char: self.words.index(char) for char in WHITE_SPACE}
        self.end_id, self.unknown_id, self._join_id = (self.words.index(s) for s in (END, UNKNOWN, JOIN))

    @classmethod
    def train(cls, texts: Iterable[str], without: Collection[str] = ()) -> Self:
        """Build the vocabulary from every word of `texts` but some; raise CorpusError if there is none."""
        uses = Counter(word for text in texts for word in words_of(text))
        if not uses:
            raise CorpusError("the corpus has no words; add some text to it")
        words = sorted(uses.keys() - without)
        return cls(words, (uses[word] for word in words))

    @property
    def vocab_size(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """Ids of `text`; a word that is not in the vocabulary becomes `unknown_id`."""
        ids: list[int] = []
        for gap, right, expected in _gaps(text):
            if gap != expected:
                ids.extend(self._gap_ids(gap))
            if right:
                ids.append(self._ids.get(right, self.unknown_id))
        return ids

    def _gap_ids(self, gap: str) -> list[int]:
        if not gap:
            return [self._join_id]
        return [self._white_space_ids.get(char, self.unknown_id) for char in gap]

    def decode(self, ids: list[int]) -> str:
        """Text of `ids`. `decode(encode(text)) == text` if all words of `text` are known.

        An unknown word reads `<unk>`; the end token is left out.
        """
        text: list[str] = []
        before, left, gap_spelled = "", "", True  # no gap is expected at the start
        for index in ids:
            if index == self.end_id:
                continue
            if index == self._join_id:
                gap_spelled = True
            elif index in self._white_space_ids.values():
                text.append(self.words[index])
                gap_spelled = True
            else:
                right = self.words[index]
                text.append(("" if gap_spelled else _ordinary_gap(before, left, right)) + right)
                before, left, gap_spelled = left, right, False
        return "".join(text)

    def pieces(self, text: str) -> list[Piece]:
        """An ordinary gap, which costs no token, belongs to the token behind it."""
        found: list[Piece] = []
        end = 0
        for gap, right, expected in _gaps(text):
            start, end = end, end + len(gap)
            if gap != expected:
                ids = self._gap_ids(gap)
                found += [
                    Piece(index, at, min(at + 1, end), text[at:end][:1] or JOIN)
                    for at, index in enumerate(ids, start)
                ]
                start = end
            if right:
                end += len(right)
                found.append(Piece(self._ids.get(right, self.unknown_id), start, end, text[start:end]))
        return found

    def shown(self, index: int) -> str:
        return self.words[index]

    def unknown_spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end, in characters, of the words and rare spaces that the vocabulary does not have."""
        words = [(start, end) for start, end in split(text) if text[start:end] not in self._ids]
        return sorted([*words, *(match.span() for match in _RARE_SPACE.finditer(text))])

    def nearest(self, word: str) -> str | None:
        return self._speller.nearest(word)

    def grown(self, text: str) -> Self:
        """Rare spaces stay unknown."""
        new = dict.fromkeys(word for word in words_of(text) if word not in self._ids)
        return type(self)((*self._ids, *new), (*self._uses, *(1 for _ in new))) if new else self

    @cached_property
    def _speller(self) -> Speller:
        return Speller(dict(zip(self._ids, self._uses, strict=True)))

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "word", "words": list(self._ids), "uses": list(self._uses)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        words = state.get("words")
        if (
            not isinstance(words, list)
            or not all(isinstance(word, str) and _PIECE.fullmatch(word) for word in words)
            or len(set(words)) != len(words)
        ):
            raise WeightsError("the tokenizer in the file is damaged: its words are not a list of words")
        uses = state.get("uses", [1] * len(words))  # files of tinychat 0.1 do not have them
        if not isinstance(uses, list) or len(uses) != len(words) or not all(type(n) is int for n in uses):
            raise WeightsError("the tokenizer in the file is damaged: the uses of its words are not counts")
        return cls(words, uses)


def _gaps(text: str) -> Iterator[tuple[str, str, str]]:
    """For every place between two pieces: the gap there, the piece on its right, and the gap to expect.

    At the end of the text the piece on the right is empty.
    """
    spans = [(0, 0), *split(text), (len(text), len(text))]
    before = left = ""
    for (_, left_end), (start, end) in pairwise(spans):
        right = text[start:end]
        yield text[left_end:start], right, _ordinary_gap(before, left, right)
        before, left = left, right


def _ordinary_gap(before: str, left: str, right: str) -> str:
    """The gap that English has between `left` and `right`, `before` being the piece left of `left`."""
    if not left or not right or right in _NO_SPACE_BEFORE or left in _NO_SPACE_AFTER:
        return ""
    if left in _INSIDE_NUMBER and before[-1:].isdigit() and right[0].isdigit():
        return ""  # 27.3, 299,792, 10:30
    return " "
