"""Byte-level BPE tokenizer: a token is a run of bytes that the training text has often.

Every text is bytes, so none is unknown and none is lost; what is frequent costs few tokens.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Self

from tinychat.errors import ConfigError, WeightsError
from tinychat.tokenizer.base import END, Piece
from tinychat.tokenizer.merges import (
    FIRST_MERGE,
    LONGEST_TOKEN,
    N_BYTES,
    Pair,
    apply_merges,
    learn_merges,
)
from tinychat.tokenizer.presplit import pieces_of

VOCAB_SIZE = 4096
_CACHED_PIECES = 1 << 16
_CACHED_LENGTH = 64
"""Characters; a longer piece is rarely met again."""


class BpeTokenizer:
    """Ids 0 to 255 are the bytes, 256 is the end token, and every merge has the next id.

    So an id means the same whatever the size of the vocabulary: a smaller one of the same texts has the first
    of the merges.

    A lone surrogate is not a character and has no bytes: it is read as `?`.
    """

    end_id = N_BYTES

    def __init__(self, merges: Iterable[Pair]) -> None:
        """Each of the `merges` is two ids of tokens that stand before it."""
        self.tokens = [*(bytes([byte]) for byte in range(N_BYTES)), b""]
        """Id -> bytes. The end token has none."""
        self._merged: dict[Pair, int] = {}
        for a, b in merges:
            self._merged[a, b] = len(self.tokens)
            self.tokens.append(self.tokens[a] + self.tokens[b])
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int = VOCAB_SIZE, min_count: int = 2) -> Self:
        """Learn merges from the pieces of `texts` until there are `vocab_size` ids, or none is left to learn.

        A pair that occurs less often than `min_count` is not merged. Raise ConfigError if `vocab_size` has no
        room for the bytes and the end token, or `min_count` is not at least 1.
        """
        if type(vocab_size) is not int or vocab_size < FIRST_MERGE:
            raise ConfigError(
                f"the vocabulary of a bpe tokenizer must have at least {FIRST_MERGE} tokens, "
                f"not {vocab_size!r}: the bytes and the end token"
            )
        if type(min_count) is not int or min_count < 1:
            raise ConfigError(f"min_count must be a whole number of at least 1, not {min_count!r}")
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(pieces_of(text))
        words: Counter[bytes] = Counter()
        for piece, count in counts.items():
            words[_bytes(piece)] += count
        return cls(learn_merges(words, vocab_size - FIRST_MERGE, min_count))

    @property
    def vocab_size(self) -> int:
        return len(self.tokens)

    @property
    def merges(self) -> list[Pair]:
        """In the order in which they were learnt and are applied."""
        return list(self._merged)

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for piece in pieces_of(text):
            found = self._cache.get(piece)
            ids += self._encode_piece(piece) if found is None else found
        return ids

    def _encode_piece(self, piece: str) -> list[int]:
        ids = apply_merges(_bytes(piece), self._merged)
        if len(piece) <= _CACHED_LENGTH:
            if len(self._cache) >= _CACHED_PIECES:
                self._cache.clear()
            self._cache[piece] = ids
        return ids

    def decode(self, ids: list[int]) -> str:
        """Text of `ids`; the end token is left out. `decode(encode(text)) == text`.

        Bytes that make no character, as those of one that has only begun, read `�`.
        """
        return b"".join([self.tokens[index] for index in ids]).decode("utf-8", "replace")

    def pieces(self, text: str) -> list[Piece]:
        """A character whose bytes are in several tokens belongs to the first."""
        found: list[Piece] = []
        start = 0
        for index in self.encode(text):
            token = self.tokens[index]
            end = start + sum(
                byte & 0xC0 != 0x80 for byte in token
            )  # of a character, all bytes but the first
            found.append(Piece(index, start, end, self.shown(index)))
            start = end
        return found

    def shown(self, index: int) -> str:
        """Bytes that are only a part of a character read as `\\xf0`."""
        return END if index == self.end_id else self.tokens[index].decode("utf-8", "backslashreplace")

    def unknown_spans(self, text: str) -> list[tuple[int, int]]:
        """None: every text is bytes."""
        return []

    def nearest(self, word: str) -> str | None:
        return None  # no word is unknown

    def grown(self, text: str) -> Self:
        return self  # no text is unknown

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "bpe", "merges": [list(pair) for pair in self._merged]}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Inverse of `to_dict`; raise WeightsError if the state is damaged."""
        merges = state.get("merges")
        if not isinstance(merges, list):
            raise WeightsError("the tokenizer in the file is damaged: its merges are not a list")
        lengths = [*([1] * N_BYTES), 0]
        for merge in merges:
            if not isinstance(merge, list) or len(merge) != 2 or not all(type(part) is int for part in merge):
                raise WeightsError("the tokenizer in the file is damaged: a merge is not a pair of ids")
            if not all(0 <= part < len(lengths) and part != cls.end_id for part in merge):
                raise WeightsError(
                    "the tokenizer in the file is damaged: a merge of tokens that are not there"
                )
            lengths.append(sum(lengths[part] for part in merge))
            if lengths[-1] > LONGEST_TOKEN:  # and a few lines of a file could fill the memory
                raise WeightsError("the tokenizer in the file is damaged: a token is too long")
        pairs = [(a, b) for a, b in merges]
        if len(set(pairs)) != len(pairs):
            raise WeightsError("the tokenizer in the file is damaged: a merge stands there twice")
        return cls(pairs)


def _bytes(piece: str) -> bytes:
    return piece.encode("utf-8", "replace")
