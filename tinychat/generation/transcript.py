"""A conversation as a file: Markdown to be read, JSON Lines for other programs."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from tinychat.corpus.dialogue import Turn
from tinychat.corpus.writers import to_line, write_new
from tinychat.errors import UsageError
from tinychat.paths import user_path


def export(turns: Sequence[Turn], path: str | Path, is_chat: bool = True) -> Path:
    """Write the turns to a new file, in the format that its suffix says, and return its path.

    With `is_chat` off they are prompts and what a model wrote behind them. Raise UsageError if there are no
    turns, for another suffix, or if the file exists, and StorageError if it cannot be written.
    """
    path = user_path(path)
    formats = {".md": to_markdown, ".jsonl": to_json_lines}
    if path.suffix.lower() not in formats:
        raise UsageError(f"{path.name!r} is neither Markdown nor JSON Lines; end its name with .md or .jsonl")
    if not turns:
        raise UsageError("there is no answer to export yet; ask something first")
    text = formats[path.suffix.lower()](turns, is_chat)
    return write_new(path, text)


def to_markdown(turns: Sequence[Turn], is_chat: bool = True) -> str:
    """Two paragraphs a turn; of a model that writes on, one, the prompt in bold."""
    parts = []
    for turn in turns:
        user, assistant = _plain(turn.user), _plain(turn.assistant)
        chat = f"**User:** {user}\n\n**Assistant:** {assistant}"
        parts.append(chat if is_chat else f"**{user}** {assistant}")
    return "\n\n".join(parts) + "\n"


def to_json_lines(turns: Sequence[Turn], is_chat: bool = True) -> str:
    """The dialogue as one line, as a corpus may have it, so that it can be learnt; or a line a completion."""
    if not is_chat:
        rows = [{"prompt": turn.user, "completion": turn.assistant} for turn in turns]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return to_line(turns)


def _plain(text: str) -> str:
    """Escaped, so that Markdown finds no mark, list, heading or paragraph in it, and its lines stay lines.

    White space around a line, which Markdown does not show, is left out.
    """
    lines = (line.strip() for line in re.split(r"\r\n|[\r\n]", text.strip()))
    escaped = (re.sub(r"([\\`*_\[\]<>#|~&$])", r"\\\1", line) for line in lines)
    first, *others = (re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", line) for line in escaped)
    return "\\\n".join([first, *others])
