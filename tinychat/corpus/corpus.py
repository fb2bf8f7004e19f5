"""What a model learns from: facts for pre-training, dialogues for instruction tuning."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tinychat.corpus.dialogue import Dialogue
from tinychat.errors import CorpusError


@dataclass(frozen=True)
class Corpus:
    """Facts and dialogues, in the order of their files."""

    name: str
    facts: tuple[str, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()
    source: str = ""
    """What `load_corpus` takes to read it again: the name of a bundled corpus or an absolute path."""
    warnings: tuple[str, ...] = ()
    """What was left out while reading, a sentence each."""
    held_out: tuple[Dialogue, ...] = ()
    """Dialogues that are never learnt, to measure on."""
    declines: tuple[str, ...] = ()
    """The answers that say honestly that something is not known."""
    text: str = field(default="", compare=False, repr=False)
    """What the facts were read from, with all line breaks; empty if they were given from Python."""

    def check(self) -> None:
        """Raise CorpusError if it is empty, or has a fact, a dialogue or a turn without text."""
        dialogues = (*self.dialogues, *self.held_out)
        said = [text for dialogue in dialogues for turn in dialogue for text in (turn.user, turn.assistant)]
        if not self.facts and not self.dialogues:
            raise CorpusError(f"the corpus {self.name!r} is empty; add some text to it")
        if not all(text.strip() for text in (*self.facts, *said)) or not all(dialogues):
            raise CorpusError(f"the corpus {self.name!r} has a fact, a dialogue or a turn without text")

    def as_running_text(self) -> "Corpus":
        """With the whole text as its only fact; without facts, the corpus itself."""
        text = self.text or "\n".join([*self.facts, ""])
        return replace(self, facts=(text,), text=text) if self.facts else self

    def texts(self) -> Iterator[str]:
        """Every text that the tokenizer must know."""
        yield from self.facts
        for dialogue in self.dialogues:
            yield from map(str, dialogue)

    @property
    def fingerprint(self) -> str:
        """Changes whenever a fact or a dialogue to learn does."""
        content = [self.facts, [[(turn.user, turn.assistant) for turn in d] for d in self.dialogues]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
