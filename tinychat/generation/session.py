"""A conversation: the model, and the turns so far."""

from tinychat.corpus.dialogue import Turn
from tinychat.generation.reply import Reply, reply_to
from tinychat.model import Model


class ChatSession:
    """Remembers earlier turns, as many as the model has seen in one training dialogue.

    A model that was trained on single questions has never seen a question at a later position than the
    first: a turn in front of it would only confuse it.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.turns: list[Turn] = []

    def ask(self, prompt: str) -> Reply:
        """Prepare the answer; iterate it, then hand it to `remember`. Raise UsageError on an empty prompt."""
        n_earlier = max(0, self.model.card.max_turns - 1)
        earlier = self.turns[-n_earlier:] if n_earlier else []
        return reply_to(
            prompt, self.model.transformer, self.model.tokenizer, self.model.card.is_chat, earlier
        )

    def remember(self, reply: Reply) -> None:
        """Keep a finished turn for the questions to come."""
        if reply.ids:
            self.turns.append(Turn(reply.prompt, reply.text))

    def clear(self) -> None:
        self.turns.clear()
