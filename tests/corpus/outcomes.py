"""What reading a file comes to: a sound corpus, or an error of one line that names it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tinychat.corpus import Corpus, load_corpus
from tinychat.errors import CorpusError

Write = Callable[[str, str | bytes], Path]
RAIN_TEXT = "User: What is rain? Assistant: Water that falls."
MOON_TEXT = "User: What is the moon? Assistant: A rock. User: How far? Assistant: Far, far away."
MOON_MESSAGES = [
    {"role": "user", "content": "What is the moon?"},
    {"role": "assistant", "content": "A rock."},
    {"role": "user", "content": "How far?"},
    {"role": "assistant", "content": "Far, far away."},
]


def error_of(path: str | Path) -> str:
    with pytest.raises(CorpusError) as caught:
        load_corpus(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def outcome(path: Path) -> Corpus | None:
    """A corpus that is sound, or None if the file is refused as it should be; anything else fails."""
    try:
        corpus = load_corpus(path)
    except CorpusError:
        error_of(path)
        return None
    texts = [*corpus.facts, *(t for d in corpus.dialogues for turn in d for t in (turn.user, turn.assistant))]
    assert texts
    assert all(corpus.dialogues)
    assert all(text and text == text.strip() for text in texts)
    return corpus
