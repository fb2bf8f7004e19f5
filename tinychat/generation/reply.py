"""An answer to a prompt, and what became of the prompt on its way into the model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tinychat.core.model import Transformer
from tinychat.corpus.dialogue import USER, Turn, ask_text
from tinychat.errors import UsageError
from tinychat.generation.greedy import greedy
from tinychat.tokenizer import Tokenizer

ROOM_FOR_ANSWER = 4
"""One part in so many of the context is kept free for the answer when a prompt is too long."""


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
    is_answer: bool = True
    """Whether it answers the prompt; otherwise it writes on."""
    ids: list[int] = field(default_factory=list)
    is_complete: bool = False
    """Whether the model has ended its answer, or its context is full."""

    def __iter__(self) -> Iterator[str]:
        """Yield the whole text so far after every token; a second time, go on where the first stopped."""
        if self.is_complete:
            return
        for token in greedy(self.transformer, self.prompt_ids + self.ids, self.tokenizer.end_id):
            self.ids.append(token)
            yield self.text
        self.is_complete = True

    @property
    def text(self) -> str:
        text = self.tokenizer.decode(self.ids)
        # The space behind `Assistant:` is a part of the first token where tokens are parts of the text.
        return text.removeprefix(" ") if self.is_answer else text

    @property
    def unknown_words(self) -> list[str]:
        """Each once, in order."""
        return list(dict.fromkeys(self.prompt[start:end] for start, end in self.unknown_spans))

    def finish(self) -> str:
        """Write to the end and return the text."""
        for _ in self:
            pass
        return self.text


def reply_to(
    prompt: str, transformer: Transformer, tokenizer: Tokenizer, chat: bool, earlier: Sequence[Turn] = ()
) -> Reply:
    """Prepare the answer to `prompt`; with `chat` off, the model just writes on after it.

    Of the earlier turns, the newest that fit are kept. Raise UsageError if the prompt is empty.
    """
    prompt = prompt.strip()
    if not prompt:
        raise UsageError("the prompt is empty; type a question")
    context = transformer.config.max_seq_len
    room = context - max(1, context // ROOM_FOR_ANSWER)
    ids = tokenizer.encode(ask_text(prompt) if chat else prompt)
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
    return Reply(transformer, tokenizer, prompt, ids, n_dropped, tokenizer.unknown_spans(prompt), chat)
