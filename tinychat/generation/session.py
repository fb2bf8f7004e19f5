"""A conversation: the model, and the turns so far."""

import numpy as np

from tinychat.corpus.dialogue import Turn
from tinychat.errors import UsageError
from tinychat.generation.beam import Beams
from tinychat.generation.reply import Reply, reply_to
from tinychat.generation.sampling import GREEDY, Sampling
from tinychat.model import Model


class ChatSession:
    """Remembers earlier turns, as many as the model has seen in one training dialogue.

    A model that was trained on single questions has never seen a question at a later position than the
    first: a turn in front of it would only confuse it.

    All draws of a session come from one generator, so that a question that is asked again may be answered
    otherwise, and the same questions in a new session are answered as in the first.
    """

    def __init__(self, model: Model, sampling: Sampling | Beams = GREEDY) -> None:
        self.model = model
        self.turns: list[Turn] = []
        self.last: Reply | None = None
        """What was asked last, whether or not it was remembered."""
        self._remembered: Reply | None = None  # the reply that the last of the turns comes from
        self.choose_by(sampling)

    def choose_by(self, sampling: Sampling | Beams) -> None:
        """From the next token on choose so, with new draws; with beams, from the next answer on."""
        self.sampling = sampling
        self._rng = np.random.default_rng(sampling.seed if isinstance(sampling, Sampling) else 0)
        if self.last is not None:
            self.last.choose_by(sampling, self._rng)

    @property
    def fill(self) -> int:
        """Tokens of the context that the last question, what was read before it, and its answer take."""
        return 0 if self.last is None else self.last.n_tokens

    def ask(self, prompt: str) -> Reply:
        """Prepare the answer; iterate it, then hand it to `remember`. Raise UsageError on an empty prompt."""
        n_earlier = max(0, self.model.card.max_turns - 1)
        self.last = reply_to(
            prompt,
            self.model.transformer,
            self.model.tokenizer,
            self.model.card.is_chat,
            self.turns[-n_earlier:] if n_earlier else (),
            self.sampling,
            self._rng,
        )
        return self.last

    def remember(self, reply: Reply) -> None:
        """Keep a turn, finished or stopped, for the questions to come; one that went on, as it is now."""
        if not reply.ids:
            return
        if reply is self._remembered:
            self.turns.pop()
        self.turns.append(Turn(reply.prompt, reply.text))
        self._remembered = reply

    def edit(self, prompt: str) -> Reply:
        """Ask this in place of the last question. Raise UsageError if it is empty or there was none."""
        if self.last is None:
            raise UsageError("nothing was asked yet; type a question first")
        taken_back = [self.turns.pop()] if self.last is self._remembered else []
        try:
            reply = self.ask(prompt)
        except UsageError:
            self.turns += taken_back
            raise
        self._remembered = None
        return reply

    def regenerate(self) -> Reply:
        """Ask the last question once more. Raise UsageError if there was none."""
        return self.edit("" if self.last is None else self.last.prompt)

    def clear(self) -> None:
        self.turns.clear()
        self.last = self._remembered = None
