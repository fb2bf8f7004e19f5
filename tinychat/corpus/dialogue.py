"""Dialogues, and the one text format in which the model reads and writes them.

    User: What causes rain? Assistant: Rain falls when ...</s>

Every answer is followed by the end token; what the model is asked to continue ends after `Assistant:`.
"""

import re
from dataclasses import dataclass

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


_TURN = re.compile(rf"\s*{USER}\s*(.*?)\s*{ASSISTANT}\s*(.*?)\s*(?=\b{USER}|\Z)", re.DOTALL)


def parse_dialogue(text: str) -> Dialogue | None:
    """Read `User: … Assistant: …`, once or several times over; None if `text` is not such a dialogue."""
    turns, end = [], 0
    while end < len(text):
        match = _TURN.match(text, end)
        if match is None or not all(match.groups()):
            return None
        turns.append(Turn(*match.groups()))
        end = match.end()
    return tuple(turns) or None
