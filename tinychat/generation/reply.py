"""An answer to a prompt, and what became of the prompt on its way into the model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.corpus.dialogue import USER, Turn, ask_text
from tinychat.errors import UsageError
from tinychat.generation.beam import Beams, beam_search
from tinychat.generation.greedy import continued
from tinychat.generation.sampling import GREEDY, Sampling, draw
from tinychat.tokenizer import Tokenizer

ROOM_FOR_ANSWER = 4
"""One part in so many of the context is kept free for the answer when a prompt is too long."""
NEW = "new to this model, read as <unk>"


@dataclass
class Reply:
    """The answer so far; iterate to make the model write on."""

    transformer: Transformer
    tokenizer: Tokenizer
    prompt: str
    prompt_ids: list[int]
    """What the model reads: earlier turns that fit, the prompt, and the mark behind which it answers."""
    n_dropped: int
    """Tokens of the prompt, the oldest, for which there was no room."""
    unknown_spans: list[tuple[int, int]]
    """Start and end, in characters, of the words of the prompt that the model has never seen."""
    respelt: dict[str, str]
    """Of these, the words that were probably misspelt, and what is read in their place."""
    is_answer: bool
    """Whether it answers the prompt; otherwise it writes on."""
    sampling: Sampling | Beams
    """How the next token is chosen. Another Sampling may take a Sampling's place between two tokens."""
    rng: np.random.Generator
    ids: list[int] = field(default_factory=list)
    is_complete: bool = False
    """Whether the model has ended its answer, or its context is full."""
    _found: list[int] | None = field(default=None, init=False, repr=False)
    """The whole answer, once beams have found it."""

    def __iter__(self) -> Iterator[str]:
        """Yield the whole text so far after every token; a second time, go on where the first stopped."""
        if self.is_complete:
            return
        for token in self._tokens():
            self.ids.append(token)
            yield self.text
        self.is_complete = True

    def _tokens(self) -> Iterator[int]:
        end_id = self.tokenizer.end_id
        if isinstance(self.sampling, Beams):  # no word is certain before all of them are
            if self._found is None:
                self._found = beam_search(self.transformer, self.prompt_ids, end_id, self.sampling)
            return iter(self._found[len(self.ids) :])
        return continued(self.transformer, self.prompt_ids + self.ids, end_id, self._drawn)

    def _drawn(self, logits: Floats) -> int:
        assert isinstance(self.sampling, Sampling)
        return draw(logits, self.sampling, self.ids, self.rng)

    def choose_by(self, sampling: Sampling | Beams, rng: np.random.Generator) -> None:
        """Choose so from the next token on; with beams on either side, the answer ends as it began."""
        if isinstance(sampling, Sampling) and isinstance(self.sampling, Sampling):
            self.sampling, self.rng = sampling, rng

    @property
    def text(self) -> str:
        text = self.tokenizer.decode(self.ids)
        # The space behind `Assistant:` is a part of the first token where tokens are parts of the text.
        return text.removeprefix(" ") if self.is_answer else text

    @property
    def n_tokens(self) -> int:
        """Tokens of the context that are in use."""
        return len(self.prompt_ids) + len(self.ids)

    @property
    def unknown_words(self) -> list[str]:
        """Those for which nothing is read but `<unk>`; each once, in order."""
        words = dict.fromkeys(self.prompt[start:end] for start, end in self.unknown_spans)
        return [word for word in words if word not in self.respelt]

    @property
    def notes(self) -> list[str]:
        """What was not read as it was typed."""
        notes = []
        if self.respelt:
            notes.append("read as " + ", ".join(f"{new} ({old})" for old, new in self.respelt.items()))
        if self.unknown_words:
            notes.append(f"{NEW}: {', '.join(self.unknown_words)}")
        if self.n_dropped:
            notes.append(
                f"longer than the context of {self.transformer.config.max_seq_len} tokens: "
                f"read without the first {self.n_dropped}"
            )
        return notes

    def finish(self) -> str:
        """Write to the end and return the text."""
        for _ in self:
            pass
        return self.text


def reply_to(
    prompt: str,
    transformer: Transformer,
    tokenizer: Tokenizer,
    chat: bool,
    earlier: Sequence[Turn] = (),
    sampling: Sampling | Beams = GREEDY,
    rng: np.random.Generator | None = None,
) -> Reply:
    """Prepare the answer to `prompt`, read as one line; with `chat` off, the model just writes on after it.

    Of the earlier turns, the newest that fit are kept. What is drawn is drawn from `rng`, by default from a
    new one. Raise UsageError if the prompt is empty.
    """
    prompt = " ".join(prompt.split()) if chat else prompt.strip()
    if not prompt:
        raise UsageError("the prompt is empty; type a question")
    context = transformer.config.max_seq_len
    room = context - max(1, context // ROOM_FOR_ANSWER)
    spans = tokenizer.unknown_spans(prompt)
    respelt = _respelt([prompt[start:end] for start, end in spans], tokenizer)
    read = prompt
    for start, end in reversed(spans):
        read = read[:start] + respelt.get(prompt[start:end], prompt[start:end]) + read[end:]
    ids = tokenizer.encode(ask_text(read) if chat else read)
    n_dropped = max(0, len(ids) - room)
    # The mark of the format stays in front, unless the context is too short even for the marks.
    head = len(tokenizer.encode(USER)) if chat else 0
    if n_dropped > len(ids) - 2 * head:
        head = 0
    ids = ids[:head] + ids[head + n_dropped :]
    for turn in reversed(earlier):
        row = [*tokenizer.encode(str(turn)), tokenizer.end_id]
        if len(row) + len(ids) > room:
            break
        ids = row + ids
    rng = np.random.default_rng(0) if rng is None else rng
    return Reply(transformer, tokenizer, prompt, ids, n_dropped, spans, respelt, chat, sampling, rng)


def _respelt(words: Sequence[str], tokenizer: Tokenizer) -> dict[str, str]:
    nearest = {word: tokenizer.nearest(word) for word in words}
    return {word: known for word, known in nearest.items() if known is not None}
