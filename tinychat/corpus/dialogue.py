"""Dialogues, and the one text format in which the model reads and writes them.

    User: What causes rain? Assistant: Rain falls when ...</s>

Every answer is followed by the end token; what the model is asked to continue ends after `Assistant:`.
"""

import re
from dataclasses import dataclass

from tinychat.tokenizer.base import END

USER, ASSISTANT = "User:", "Assistant:"


@dataclass(frozen=True)
class Turn:
    """One question and its answer."""

    user: str
    assistant: str

    def __str__(self) -> str:
        return f"{ask_text(self.user)} {self.assistant}"


Dialogue = tuple[Turn, ...]


def ask_text(user: str) -> str:
    """What the model continues with its answer."""
    return f"{USER} {user} {ASSISTANT}"


_SPEAKER = re.compile(rf"(?<!\w)({USER}|{ASSISTANT})")


def clean(text: str) -> str:
    """Without white space around it, and the end mark that other programs' files have in the text."""
    return text.strip().removesuffix(END).strip()


def spoken(text: str) -> list[tuple[str, str]]:
    """Split `User: … Assistant: …` into speakers and what they say; empty if it begins otherwise."""
    before, *parts = _SPEAKER.split(text)
    return [] if before.strip() else list(zip(parts[::2], map(clean, parts[1::2]), strict=True))


def parse_dialogue(text: str) -> Dialogue | None:
    """Read `User: … Assistant: …`, once or several times over; None if `text` is not such a dialogue."""
    parts = spoken(text)
    speakers = [speaker for speaker, _ in parts]
    if not parts or speakers != [USER, ASSISTANT] * (len(parts) // 2) or not all(said for _, said in parts):
        return None
    said = [text for _, text in parts]
    return tuple(Turn(*pair) for pair in zip(said[::2], said[1::2], strict=True))
