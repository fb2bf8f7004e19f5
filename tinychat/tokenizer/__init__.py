"""Text to ids and back."""

from tinychat.tokenizer.base import Tokenizer, tokenizer_from_dict
from tinychat.tokenizer.word import WordTokenizer

__all__ = ["Tokenizer", "WordTokenizer", "tokenizer_from_dict"]
