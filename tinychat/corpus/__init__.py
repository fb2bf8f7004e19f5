"""Text in: files and folders -> Corpus(facts, dialogues)."""

from typing import TYPE_CHECKING, Any

from tinychat.corpus.bundled import bundled_corpora, load_corpus

if TYPE_CHECKING:
    from tinychat.corpus.corpus import Corpus
    from tinychat.corpus.dialogue import Dialogue, Turn

__all__ = ["Corpus", "Dialogue", "Turn", "bundled_corpora", "load_corpus"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only when it is: one can look for a corpus without what reads it."""
    from importlib import import_module

    if name in ("Corpus", "Dialogue", "Turn"):
        return getattr(import_module(f"tinychat.corpus.{'corpus' if name == 'Corpus' else 'dialogue'}"), name)
    raise AttributeError(f"module 'tinychat.corpus' has no attribute {name!r}")
