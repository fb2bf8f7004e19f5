"""Character tokenizer: a token is a character (a Unicode code point)."""

from collections.abc import Iterable
from typing import Any, Self

from tinychat.errors import CorpusError, WeightsError
from tinychat.tokenizer.base import END, UNKNOWN, Piece

SPECIALS = (END, UNKNOWN)


class CharTokenizer:
    """One id for every character of the training text. Ids of SPECIALS come first, characters sorted."""

    end_id, unknown_id = map(SPECIALS.index, (END, UNKNOWN))

    def __init__(self, characters: Iterable[str]) -> None:
        self._tokens = (*SPECIALS, *characters)
        self._ids = {char: index for index, char in enumerate(self._tokens) if index >= len(SPECIALS)}

    @classmethod
    def train(cls, texts: Iterable[str]) -> Self:
        """Build the vocabulary from every character of `texts`; raise CorpusError if there is none."""
        characters = {char for text in texts for char in set(text)}
        if not characters:
            raise CorpusError("the corpus has no characters; add some text to it")
        return cls(sorted(characters))

    @property
    def vocab_size(self) -> int:
        return len(self._tokens)

    def encode(self, text: str) -> list[int]:
        """Ids of `text`; a character that is not in the vocabulary becomes `unknown_id`."""
        return [self._ids.get(char, self.unknown_id) for char in text]

    def decode(self, ids: list[int]) -> str:
        """Text of `ids`. `decode(encode(text)) == text` if all characters of `text` are known.

        An unknown character reads `<unk>`; the end token is left out.
        """
        return "".join(self._tokens[index] for index in ids if index != self.end_id)

    def pieces(self, text: str) -> list[Piece]:
        return [
            Piece(index, at, at + 1, char)
            for at, (index, char) in enumerate(zip(self.encode(text), text, strict=True))
        ]

    def shown(self, index: int) -> str:
        return self._tokens[index]

    def unknown_spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of the characters that the vocabulary does not have."""
        return [(at, at + 1) for at, char in enumerate(text) if char not in self._ids]

    def nearest(self, word: str) -> str | None:
        return None  # knows characters, not words

    def grown(self, text: str) -> Self:
        new = dict.fromkeys(char for char in text if char not in self._ids)
        return type(self)((*self._ids, *new)) if new else self

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "char", "characters": list(self._ids)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Inverse of `to_dict`; raise WeightsError if the state is damaged."""
        characters = state.get("characters")
        if (
            not isinstance(characters, list)
            or not all(isinstance(char, str) and len(char) == 1 for char in characters)
            or len(set(characters)) != len(characters)
        ):
            raise WeightsError("the tokenizer in the file is damaged: its characters are not a list of them")
        return cls(characters)
