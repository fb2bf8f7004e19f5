"""A prompt and an answer as the model reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinychat.corpus.dialogue import Turn, ask_text
from tinychat.errors import UsageError
from tinychat.generation.reply import NEW, Reply
from tinychat.inspection.reading import copied, shown
from tinychat.model import Model
from tinychat.training.rows import turn_row
from tinychat.wording import counted


@dataclass(frozen=True)
class Exchange:
    """What is read, the mark behind which the model answers included, and what is answered."""

    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]
    """At least one. Ends with the end token unless the context was full."""
    prompt_tokens: tuple[str, ...]
    answer_tokens: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What of the prompt, and of an answer that was given as text, was not read as it was typed."""

    @property
    def read(self) -> tuple[int, ...]:
        """All that the model reads: the last token of the answer is only written."""
        return (*self.prompt_ids, *self.answer_ids)[:-1]


def exchange(model: Model, prompt: str, answer: str | Sequence[int] | None = None) -> Exchange:
    """The prompt with the model's own answer, by greedy decoding, or with a given one (as text, or as ids).

    A model that was only pre-trained writes on in place of answering. Raise UsageError if the prompt or the
    answer is empty, or both together are longer than the context.
    """
    model = copied(model)
    reply = model.reply(prompt)
    notes = reply.notes
    if answer is None:
        reply.finish()
        room = model.config.max_seq_len - len(reply.prompt_ids)
        ids = [*reply.ids, model.tokenizer.end_id][:room]
    elif isinstance(answer, str):
        answer = answer.strip()
        ids = _answer_ids(model, prompt.strip(), answer)
        unknown = dict.fromkeys(answer[start:end] for start, end in model.tokenizer.unknown_spans(answer))
        if unknown:
            notes.append(f"{NEW} in the answer: {', '.join(unknown)}")
    else:
        ids = list(answer)
    if not ids:
        raise UsageError("the answer is empty; give at least one token")
    prompt_ids, context = reply.prompt_ids, model.config.max_seq_len
    if len(prompt_ids) + len(ids) > context + 1:
        raise UsageError(
            f"the prompt of {len(prompt_ids)} and the answer of {counted(len(ids), 'token')} are longer than "
            f"the context of {context}; shorten them"
        )
    if not all(0 <= index < model.config.vocab_size for index in ids):
        raise UsageError(f"an id of the answer is not in the vocabulary of {model.config.vocab_size} tokens")
    return Exchange(
        prompt_ids=tuple(prompt_ids),
        answer_ids=tuple(ids),
        prompt_tokens=shown(model.tokenizer, prompt_ids),
        answer_tokens=shown(model.tokenizer, ids),
        notes=tuple(notes),
    )


def exchange_of(reply: Reply) -> Exchange:
    """What was read and what is written so far, just as the reply has it: earlier turns are read too.

    Raise UsageError if nothing is written yet.
    """
    tokenizer, room = reply.tokenizer, reply.transformer.config.max_seq_len - len(reply.prompt_ids)
    ids = list(reply.ids)
    if reply.is_complete and len(ids) < room:
        ids.append(tokenizer.end_id)
    if not ids:
        raise UsageError("the answer is empty; wait for its first token")
    return Exchange(
        prompt_ids=tuple(reply.prompt_ids),
        answer_ids=tuple(ids),
        prompt_tokens=shown(tokenizer, reply.prompt_ids),
        answer_tokens=shown(tokenizer, ids),
        notes=tuple(reply.notes),
    )


def _answer_ids(model: Model, prompt: str, answer: str) -> list[int]:
    """As training has them behind a prompt, which they do not depend on; the end token included."""
    if not answer:
        raise UsageError("the answer is empty; type one")
    whole = turn_row(Turn(prompt, answer), model.tokenizer).tokens
    return whole[len(model.tokenizer.encode(ask_text(prompt))) :]
