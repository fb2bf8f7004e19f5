"""Dialogues as a file that the readers take for a corpus."""

import json
from collections.abc import Sequence
from pathlib import Path

from tinychat.corpus.dialogue import ASSISTANT, USER, Dialogue, Turn, parse_dialogue
from tinychat.errors import StorageError, UsageError
from tinychat.paths import user_path


def write_dialogues(dialogues: Sequence[Dialogue], path: str | Path) -> Path:
    """Write a new chat*.txt or a new .jsonl, and return its path.

    Raise UsageError if there are no dialogues, if the file exists, or if it would be read as something else,
    and StorageError if it cannot be written.
    """
    path = user_path(path)
    suffix = path.suffix.lower()
    if suffix not in (".txt", ".jsonl") or (suffix == ".txt" and not path.name.lower().startswith("chat")):
        raise UsageError(f"{path.name!r} would not be read as dialogues; call it chat….txt or ….jsonl")
    if not dialogues:
        raise UsageError("there is nothing to write: the model was not taught anything")
    text = _blocks(dialogues) if suffix == ".txt" else "".join(map(to_line, dialogues))
    return write_new(path, text)


def write_new(path: Path, text: str) -> Path:
    """Write a text file that was not there, and return its path; what cannot be encoded becomes `?`.

    Raise UsageError if the file exists, and StorageError if it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already; give another name") from None
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}; choose another place") from None
    return path


def to_line(dialogue: Sequence[Turn]) -> str:
    """A dialogue as one line of JSON, as the readers take it."""
    messages = [
        {"role": role, "content": said}
        for turn in dialogue
        for role, said in (("user", turn.user), ("assistant", turn.assistant))
    ]
    return json.dumps({"messages": messages}, ensure_ascii=False) + "\n"


def _blocks(dialogues: Sequence[Dialogue]) -> str:
    """An empty line between two. Raise UsageError for a text that a line of it cannot hold."""
    blocks = []
    for dialogue in dialogues:
        if parse_dialogue(" ".join(map(str, dialogue))) != dialogue or "\n" in "".join(map(str, dialogue)):
            raise UsageError(
                f"what {dialogue[0].user[:40]!r} was answered cannot stand in a .txt; write a .jsonl instead"
            )
        lines = [f"{USER} {turn.user}\n{ASSISTANT} {turn.assistant}\n" for turn in dialogue]
        blocks.append("".join(lines))
    return "\n".join(blocks)
