"""The updates of a lesson: until it is learnt, and then so that what was said before comes back."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Ids
from tinychat.errors import LessonError
from tinychat.training.batches import to_batch
from tinychat.training.events import LessonChecked
from tinychat.training.growing import narrowed, widen_
from tinychat.training.optimizer import clip_by_global_norm_, make_optimizer
from tinychat.training.rehearsal import Rehearsal
from tinychat.training.rows import Row

RECIPE = TrainConfig(optimizer="adamw", lr=0.0017, beta2=0.99, eps=1e-3, clip_norm=1.0)
WARMUP = 4
"""Updates in which the learning rate rises: the optimiser begins without a past."""
N_NEW, N_NEW_OF_ALL, N_NEAR, N_FAR = 8, 14, 8, 20
"""In an update: wordings of the new question (more where all former rows are there, which are few and leave
time), former rows that are near it, and others."""
LEARN = 16
"""Most updates of a round before the learning rate falls."""
SETTLE = 8
"""Updates in which it falls to nothing: what is last is what the former rows repair."""
ROUNDS, ROUNDS_OF_ALL = 2, 4
"""At most; more where all former rows are there, so that those that were lost can be told and come back."""
CHECK_EVERY = 4
RIGHT, RIGHT_OF_ALL = 0.8, 0.9
"""Share of the wordings that are only asked, answered rightly, at which the question is learnt; and where all
former rows are there, so that what is lost is seen."""
KEPT, KEPT_OF_SOME = 0.98, 0.93
"""Share of all former rows at which there is no other round; the same of some that are lost first."""
ENOUGH = 0.6
"""Share at the end of a round at which there is no other one."""
FREE = 0.99
"""Share of them, by one in N_SOME, at which nothing has to be given up of what was learnt."""
N_SOME = 3
N_RIVALS = 128
"""Tokens at a place of an answer that the lesson knows whether or not they occur in it."""
MORE = 1.5
"""Factor by which the new rows weigh more after a check at which they were not learnt, and again less."""
HALVINGS, SPARE = 4, 0.05
"""When the least share of what was learnt is looked for that is enough; and what is added to it."""
UNSOUND = "the weights of this model are not sound; it cannot be taught"


class Practice:
    """A copy of `transformer` that knows the tokens of the lesson alone, and learns."""

    def __init__(
        self,
        transformer: Transformer,
        former: Sequence[Row],
        n_near: int,
        new: Sequence[Row],
        asked: Sequence[Row],
        n_old_tokens: int,
        are_all: bool,
        rng: np.random.Generator,
    ) -> None:
        """The first `n_near` of the former rows are near the new ones; the first of the new rows and of those
        that are only asked is the question itself. The tokens from `n_old_tokens` on are new. `are_all`
        tells whether there are no former rows but these; otherwise more is lost than is seen.
        """
        rows = [*former, *new, *asked]
        rivals = _likeliest(transformer, new[:N_NEW])
        self._tokens = np.unique(np.concatenate([rivals, *(row.tokens for row in rows)]))
        rows = [Row(np.searchsorted(self._tokens, row.tokens).tolist(), row.counts) for row in rows]
        self._asked = rows[len(former) + len(new) :]
        self._narrow = narrowed(transformer, self._tokens)
        self._before = self._narrow.parameters.values.copy()
        self._optimizer = make_optimizer(RECIPE.optimizer, self._narrow.parameters)
        n_old, n = len(former), len(former) + len(new)
        n_narrow_old = int(np.searchsorted(self._tokens, n_old_tokens))
        self._rehearsal = Rehearsal(self._narrow, rows[:n_old], rows[n_old:n], n_narrow_old)
        self._known = [index for index in range(n_old) if self._rehearsal.is_right[index]]
        self._question = n_old
        self._new = Turns(rng, range(n_old + 1, n))
        self._near, self._far = Turns(rng, range(n_near)), Turns(rng, range(n_near, n_old))
        self._are_all = are_all
        self._n_new = N_NEW_OF_ALL if are_all else N_NEW
        self._least_right = RIGHT_OF_ALL if are_all else RIGHT
        self._moves = _what_moves(self._narrow, n_narrow_old)
        self._rng, self._new_weight, self._loss = rng, 1.0, 0.0
        self._learnt: Floats | None = None  # the latest weights by which it was
        self.is_learnt = self._is_question_right = False
        """Whether the question and enough of the wordings that are only asked are answered rightly."""

    def close(self) -> None:
        self._rehearsal.close()

    def run(self) -> Iterator[LessonChecked]:
        """Learn, with checks in between. Raise LessonError if the weights are not sound."""
        least_kept = KEPT if self._are_all else KEPT_OF_SOME
        for _ in range(ROUNDS_OF_ALL if self._are_all else ROUNDS):
            for done in range(1, LEARN + 1):
                if self.is_learnt:
                    break
                self._update(min(1.0, (self._optimizer.updates + 1) / WARMUP))
                if done % CHECK_EVERY == 0:
                    yield self._check()
            for left in range(SETTLE, 0, -1):
                self._update(left / (SETTLE + 1))
                if left % CHECK_EVERY == 1 and left > 1:
                    yield self._check()
            self._hold_back()
            found = self._kept(self._known)
            check = self._check(sum(found))
            yield check
            self.is_learnt = self._is_question_right and check.right >= ENOUGH * check.wordings
            if self.is_learnt and sum(found) >= least_kept * len(found):
                return
            lost = [index for index, is_right in zip(self._known, found, strict=True) if not is_right]
            if lost:
                self._near = Turns(self._rng, lost)

    def give_to(self, transformer: Transformer) -> None:
        """What was learnt; the tokens that did not occur stay as they are."""
        widen_(self._narrow, transformer, self._tokens)

    def _update(self, share: float) -> None:
        """One update in whitened coordinates, with this share of the learning rate."""
        chosen = [self._question, *self._new.take(self._n_new - 1)]
        chosen += [*self._near.take(N_NEAR), *self._far.take(N_FAR)]
        parameters, whitening = self._narrow.parameters, self._rehearsal.whitening
        self._loss = self._rehearsal.loss_and_gradients(chosen, self._new_weight).mean
        parameters.grads *= self._moves
        whitening.scale_(self._narrow, parameters.grads)
        norm = clip_by_global_norm_(parameters.grads, RECIPE.clip_norm)
        if not math.isfinite(self._loss + norm):
            raise LessonError(UNSOUND)
        before = parameters.values.copy()
        self._optimizer.step(RECIPE, RECIPE.lr * share)
        parameters.values -= before
        whitening.scale_(self._narrow, parameters.values)
        parameters.values += before

    def _check(self, kept: int = 0) -> LessonChecked:
        right = self._rehearsal.exact(self._asked)
        self.is_learnt, self._is_question_right = self._is_enough(right), right[0]
        if self.is_learnt:
            self._learnt = self._narrow.parameters.values.copy()
            self._new_weight = max(1.0, self._new_weight / MORE)
        elif self._optimizer.updates > CHECK_EVERY:  # at first nothing can be learnt yet
            self._new_weight *= MORE
        n_known = len(self._known)
        return LessonChecked(self._optimizer.updates, self._loss, sum(right), len(right), kept, n_known)

    def _is_enough(self, right: Sequence[bool]) -> bool:
        return right[0] and sum(right) >= self._least_right * len(right)

    def _kept(self, indices: Sequence[int]) -> list[bool]:
        """For each of these former rows whether it is right."""
        return self._rehearsal.exact([self._rehearsal.rows[index] for index in indices])

    def _hold_back(self) -> None:
        """Go back as far as what was learnt stays right, less a little to spare; where more is lost than is
        seen, as far as enough of it does.

        The nearer the weights are to what they were, the more former answers stay (Wortsman et al. 2022,
        arXiv:2109.01903). If what was learnt was lost again, go back to where it was known, as far as needed.
        """
        values = self._narrow.parameters.values
        right = self._rehearsal.exact(self._asked)
        if self._is_enough(right):
            some = self._kept(self._known[::N_SOME])
            if sum(some) >= FREE * len(some):
                return
            start, end = self._before, values.copy()
        elif self._learnt is not None:
            start, end = values.copy(), self._learnt
        else:
            return
        wanted = math.ceil(self._least_right * len(right))
        if self._are_all:
            wanted = max(wanted, sum(right))
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            share = (low + high) / 2
            values[...] = start + share * (end - start)
            now = self._rehearsal.exact(self._asked)
            if now[0] and sum(now) >= wanted:
                high = share
            else:
                low = share
        values[...] = start + min(1.0, high + SPARE) * (end - start)


def _likeliest(transformer: Transformer, rows: Sequence[Row]) -> Ids:
    """Tokens that might come in the place of the right ones, so that none is overlooked."""
    logits, _ = transformer.predictions(*to_batch(rows))
    n = min(N_RIVALS, logits.shape[-1])
    return np.unique(np.argpartition(logits[0], -n)[:, -n:])


def _what_moves(transformer: Transformer, n_old_tokens: int) -> Floats:
    """1 for each weight that is learnt, 0 for those that take part in all that is said, of shape (P,).

    These are norms, and vectors of places and of old tokens: without them as much is learnt, and more stays.
    """
    moves = np.ones_like(transformer.parameters.values)
    for name, view in transformer.parameters.views(moves):
        if name == "embedding.w_token":
            view[:n_old_tokens] = 0
        elif "norm" in name or name.startswith("embedding."):
            view[...] = 0
    return moves


class Turns:
    """Takes things by turns, in a new order every time round."""

    def __init__(self, rng: np.random.Generator, things: Sequence[int]) -> None:
        self._rng, self._things, self._order = rng, things, list[int]()

    def take(self, n: int) -> list[int]:
        """As many of them; none if there are none."""
        while self._things and len(self._order) < n:
            self._order += self._rng.permutation(self._things).tolist()
        taken, self._order = self._order[:n], self._order[n:]
        return taken
