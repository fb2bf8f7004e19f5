"""What every tokenizer can do, and how one is brought back from a weights file."""

from typing import Any, Protocol

from tinychat.errors import WeightsError


class Tokenizer(Protocol):
    """Text <-> ids. Ids of special tokens never come from text, whatever a user types."""

    end_id: int
    """Ends a row: a fact, or an answer."""
    unknown_id: int
    """Stands for a piece of text that was not in the training text."""

    @property
    def vocab_size(self) -> int: ...

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: list[int]) -> str: ...

    def unknown_spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end, in characters, of the pieces of `text` that encode to `unknown_id`."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready state, for `tokenizer_from_dict`."""
        ...


def tokenizer_from_dict(state: dict[str, Any]) -> Tokenizer:
    """Inverse of `Tokenizer.to_dict`; raise WeightsError if the state is not one."""
    from tinychat.tokenizer.word import WordTokenizer

    if state.get("kind") != "word":
        raise WeightsError(f"the file has a tokenizer of the unknown kind {state.get('kind')!r}")
    return WordTokenizer.from_dict(state)
