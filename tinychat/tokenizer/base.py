"""What every tokenizer can do."""

from typing import Any, NamedTuple, Protocol, Self

END, UNKNOWN = "</s>", "<unk>"
"""Special tokens as one can read them. Other programs write the first in their texts; here no text has it."""


class Piece(NamedTuple):
    """A token and the part of a text that it stands for."""

    id: int
    start: int
    end: int
    """Characters. The pieces of a text cover it: each begins where the one before ended. A token that begins
    no character, as a mark or the later bytes of a character, has an empty piece."""
    shown: str
    """The token as one can read it; bytes that are only a part of a character as `\\xf0`."""


class Tokenizer(Protocol):
    """Text <-> ids. Ids of special tokens never come from text, whatever a user types."""

    end_id: int
    """Ends a row: a fact, or an answer."""

    @property
    def vocab_size(self) -> int: ...

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: list[int]) -> str: ...

    def pieces(self, text: str) -> list[Piece]:
        """One for every id of `encode(text)`, in order."""
        ...

    def shown(self, index: int) -> str:
        """A token as one can read it, also where `decode` leaves it out or makes no character of it."""
        ...

    def unknown_spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end, in characters, of the pieces of `text` that `decode` cannot give back."""
        ...

    def nearest(self, word: str) -> str | None:
        """The known word that an unknown one was probably meant to be."""
        ...

    def grown(self, text: str) -> Self:
        """One that knows all of `text` as well: what was known keeps its id, what is new comes last."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready state, for `tokenizer_from_dict`."""
        ...
