"""A conversation as a file: Markdown to be read, JSON Lines for other programs."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from tinychat.corpus.dialogue import Turn
from tinychat.errors import StorageError, UsageError
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
    try:
        with path.open("x", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already; give another name") from None
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}; choose another place") from None
    return path


def to_markdown(turns: Sequence[Turn], is_chat: bool = True) -> str:
    """Two paragraphs a turn; of a model that writes on, one, the prompt in bold."""
    parts = []
    for turn in turns:
        user, assistant = _plain(turn.user), _plain(turn.assistant)
        chat = f"**User:** {user}\n\n**Assistant:** {assistant}"
        parts.append(chat if is_chat else f"**{user}** {assistant.lstrip()}")
    return "\n\n".join(parts) + "\n"


def to_json_lines(turns: Sequence[Turn], is_chat: bool = True) -> str:
    """The dialogue as one line, as a corpus may have it, so that it can be learnt; or a line a completion."""
    if not is_chat:
        rows = [{"prompt": turn.user, "completion": turn.assistant} for turn in turns]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    messages = [
        {"role": role, "content": said}
        for turn in turns
        for role, said in (("user", turn.user), ("assistant", turn.assistant))
    ]
    return json.dumps({"messages": messages}, ensure_ascii=False) + "\n"


def _plain(text: str) -> str:
    """Escaped, so that Markdown shows what was typed and nothing else."""
    return re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", text)
