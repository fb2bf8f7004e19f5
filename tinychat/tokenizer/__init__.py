"""Text to ids and back."""

from tinychat.tokenizer.base import Piece, Tokenizer
from tinychat.tokenizer.bpe import BpeTokenizer
from tinychat.tokenizer.char import CharTokenizer
from tinychat.tokenizer.kinds import KINDS, tokenizer_from_dict, train_tokenizer
from tinychat.tokenizer.word import WordTokenizer

__all__ = [
    "KINDS",
    "BpeTokenizer",
    "CharTokenizer",
    "Piece",
    "Tokenizer",
    "WordTokenizer",
    "tokenizer_from_dict",
    "train_tokenizer",
]
