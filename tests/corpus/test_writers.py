"""What is written is read again."""

from pathlib import Path

import pytest

from tinychat.corpus import Dialogue, Turn, load_corpus
from tinychat.corpus.writers import write_dialogues
from tinychat.errors import StorageError, UsageError

DIALOGUES: list[Dialogue] = [
    (Turn("Who?", "Äpfel & Birnen."),),
    (Turn("Why?", "So."), Turn("Really?", '"Yes"')),
]


@pytest.mark.parametrize("name", ["chat.txt", "CHAT-2.txt", "any.jsonl"])
def test_it_comes_back(tmp_path: Path, name: str) -> None:
    path = write_dialogues(DIALOGUES, tmp_path / name)
    assert list(load_corpus(path).dialogues) == DIALOGUES


@pytest.mark.parametrize("name", ["taught.txt", "chat.md", "chat"])
def test_a_name_that_would_be_read_otherwise(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="would not be read as dialogues"):
        write_dialogues(DIALOGUES, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("said", ["two\nlines", "User: me", "so Assistant: it", " around "])
def test_what_a_line_cannot_hold(tmp_path: Path, said: str) -> None:
    with pytest.raises(UsageError, match="jsonl"):
        write_dialogues([(Turn("Who?", said),)], tmp_path / "chat.txt")
    assert not list(tmp_path.iterdir())


def test_nothing_there_already_and_nowhere(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to write"):
        write_dialogues([], tmp_path / "chat.txt")
    path = write_dialogues(DIALOGUES, tmp_path / "chat.txt")
    with pytest.raises(UsageError, match="there already"):
        write_dialogues(DIALOGUES, path)
    with pytest.raises(StorageError, match="cannot write"):
        write_dialogues(DIALOGUES, path / "below" / "chat.txt")
