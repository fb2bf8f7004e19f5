"""Text in: files and folders -> Corpus(facts, dialogues)."""

from tinychat.corpus.bundled import bundled_corpora, load_corpus
from tinychat.corpus.corpus import Corpus
from tinychat.corpus.dialogue import Dialogue, Turn

__all__ = ["Corpus", "Dialogue", "Turn", "bundled_corpora", "load_corpus"]
