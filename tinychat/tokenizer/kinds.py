"""Tokenizers by name: a new one trained on texts, and one brought back from a weights file."""

from collections.abc import Iterable
from typing import Any

from tinychat.errors import ConfigError, WeightsError
from tinychat.tokenizer.base import Tokenizer
from tinychat.tokenizer.bpe import VOCAB_SIZE, BpeTokenizer
from tinychat.tokenizer.char import CharTokenizer
from tinychat.tokenizer.word import WordTokenizer

_KINDS: dict[str, type[WordTokenizer | CharTokenizer | BpeTokenizer]] = {
    "word": WordTokenizer,
    "char": CharTokenizer,
    "bpe": BpeTokenizer,
}
KINDS = tuple(_KINDS)


def train_tokenizer(kind: str, texts: Iterable[str], vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """A new tokenizer with the vocabulary of `texts`.

    vocab_size : ids, at most, of a `bpe`; the texts alone decide how many a `word` or a `char` has.

    Raise ConfigError for a name that is not one of KINDS, or a size that cannot be, and CorpusError if the
    texts are empty.
    """
    if kind not in KINDS:
        raise ConfigError(f"no tokenizer is called {kind!r}; there are: {', '.join(KINDS)}")
    if kind == "bpe":
        return BpeTokenizer.train(texts, vocab_size)
    return WordTokenizer.train(texts) if kind == "word" else CharTokenizer.train(texts)


def tokenizer_from_dict(state: dict[str, Any]) -> Tokenizer:
    """Inverse of `Tokenizer.to_dict`; raise WeightsError if the state is not one."""
    kind = state.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise WeightsError(f"the file has a tokenizer of the unknown kind {kind!r}")
    return _KINDS[kind].from_dict(state)
