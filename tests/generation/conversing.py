"""A few questions, and who asks them."""

from collections.abc import Callable

from tinychat.generation.reply import Reply
from tinychat.generation.session import ChatSession
from tinychat.model import Model

Make = Callable[..., Model]
PROMPTS = ("How?", "What is rain?", "How do mountains form?", "What is water?")


def converse(model: Model, prompts: tuple[str, ...] = PROMPTS) -> ChatSession:
    session = ChatSession(model)
    for prompt in prompts:
        reply = session.ask(prompt)
        next(iter(reply))
        session.remember(reply)
    return session


def read(reply: Reply, n_tokens: int | None = None) -> Reply:
    """Let it be written, to the end or to so many tokens."""
    for _ in reply:
        if len(reply.ids) == n_tokens:
            break
    return reply
