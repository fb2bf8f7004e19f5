"""Learning something new while staying with what one said: the former self is the teacher.

Of the new rows the model learns the right tokens; of the former ones the probabilities that it gave before,
right or wrong (Hinton et al. 2015; Li & Hoiem 2016, arXiv:1606.09282). So the old rows pull only as far as
something has moved. Two threads share the rows of an update: its products are long enough for that.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.core.softmax import softmax_
from tinychat.training.batches import to_batch
from tinychat.training.by_length import exact, parts_by_length, read_answers
from tinychat.training.rows import Row
from tinychat.training.whitening import Whitening

N_THREADS = 2
_ROWS, _ROWS_READ = 8, 32
"""Rows at a time: to learn from, so few that the long ones are among themselves; and only to read."""
OLD_WEIGHT = 4.0
"""Of a former token, where a new one has 1."""
CERTAINTY = 0.95
"""Wanted probability of a new token; the rest is as before: no more is moved than has to be."""
SURE = 0.2
"""The same of a former token where the answer was right: it gets a little more certain."""


class Rehearsal:
    """Gives the gradients of `transformer`; what it said before is remembered for every row."""

    def __init__(
        self, transformer: Transformer, old: Sequence[Row], new: Sequence[Row], n_old_tokens: int
    ) -> None:
        """The tokens from `n_old_tokens` on are new: the teacher never says them."""
        self.transformer, self.n_old_tokens = transformer, n_old_tokens
        self.rows, self.n_old = [*old, *new], len(old)
        self.whitening = Whitening()
        self._threads = ThreadPoolExecutor(N_THREADS)
        values = transformer.parameters.values
        before = values.copy()
        self._pupils = [Transformer(transformer.config, values=values) for _ in range(N_THREADS)]
        self._teachers = [Transformer(transformer.config, values=before) for _ in range(N_THREADS)]
        self._said: list[Floats] = [np.empty(0)] * len(self.rows)
        """For every row what the output layer read at the places that count, of shape (N, D)."""
        self.is_right = self._remember()

    def close(self) -> None:
        self._threads.shutdown()

    def loss_and_gradients(self, chosen: Sequence[int], new_weight: float = 1.0) -> Loss:
        """Gradients from the rows with these indices; the loss is that of all.

        The parts of a thread are added up first: the result does not depend on which one is ready first.
        """
        kinds = [[i for i in chosen if i < self.n_old], [i for i in chosen if i >= self.n_old]]
        parts = [part for kind in kinds for part in self._parts(kind, _ROWS)]
        # The largest first, so that both threads get about the same to do.
        parts.sort(key=lambda part: -sum(len(self.rows[index].tokens) for index in part))

        def learn(number: int) -> tuple[Floats, list[Loss]]:
            pupil, losses = self._pupils[number], []
            total = np.zeros_like(pupil.parameters.grads)
            with np.errstate(all="ignore"):  # what is not finite is told by the lesson
                for indices in parts[number::N_THREADS]:
                    rows = [self.rows[index] for index in indices]
                    wanted = self._wanted(number, indices)
                    losses.append(pupil.loss_and_gradients(*to_batch(rows), wanted=wanted))
                    weight = OLD_WEIGHT if indices[0] < self.n_old else new_weight
                    pupil.parameters.grads *= losses[-1].tokens * weight
                    total += pupil.parameters.grads
            return total, losses

        totals, losses = zip(*self._threads.map(learn, range(N_THREADS)), strict=True)
        loss = Loss.sum(part for found in losses for part in found)
        np.divide(sum(totals), max(loss.tokens, 1), out=self.transformer.parameters.grads)
        return loss

    def exact(self, rows: Sequence[Row]) -> list[bool]:
        """As `by_length.exact`, of the weights as they are now."""

        def read(number: int) -> list[bool]:
            with np.errstate(all="ignore"):
                return exact(self._pupils[number], rows[number::N_THREADS])

        found = [False] * len(rows)
        for number, right in enumerate(self._threads.map(read, range(N_THREADS))):
            found[number::N_THREADS] = right
        return found

    def _parts(self, indices: Sequence[int], n: int) -> list[list[int]]:
        rows = [self.rows[index] for index in indices]
        return [[indices[place] for place in part] for part in parts_by_length(rows, n)]

    def _wanted(self, number: int, indices: Sequence[int]) -> Floats:
        """What is to be probable, of shape (N, V), at the places of these rows that count."""
        said = np.concatenate([self._said[index] for index in indices])
        logits = self._teachers[number].output.forward(said[None])[0]
        logits[:, self.n_old_tokens :] = -np.inf
        wanted = softmax_(logits)
        rows = [self.rows[index] for index in indices]
        targets = [
            t for row in rows for t, counts in zip(row.tokens[1:], row.counts[1:], strict=True) if counts
        ]
        sure = [
            CERTAINTY if index >= self.n_old else SURE if self.is_right[index] else 0.0
            for index, row in zip(indices, rows, strict=True)
            for _ in range(row.n_predicted)
        ]
        share = np.array(sure, wanted.dtype)
        wanted *= 1 - share[:, None]
        wanted[np.arange(len(targets)), targets] += share
        return wanted

    def _remember(self) -> list[bool]:
        """Whether the answers are right, row by row; collect on the way what the whitening needs."""
        found = [False] * len(self.rows)
        old, new = range(self.n_old), range(self.n_old, len(self.rows))
        parts = [*self._parts(old, _ROWS_READ), *self._parts(new, _ROWS_READ)]

        def read(number: int) -> Whitening:
            whitening, teacher = Whitening(), self._teachers[number]
            with np.errstate(all="ignore"):
                for part in parts[number::N_THREADS]:
                    rows = [self.rows[index] for index in part]
                    right, said = read_answers(teacher, rows)
                    for index, is_right, vectors in zip(part, right, said, strict=True):
                        found[index], self._said[index] = is_right, vectors
                    if part[0] < self.n_old:
                        lengths = np.array([[len(row.tokens) - 1] for row in rows])
                        is_text = np.arange(lengths.max()) < lengths
                        whitening.collect(teacher, is_text.ravel().astype(said[0].dtype))
            return whitening

        for whitening in self._threads.map(read, range(N_THREADS)):
            self.whitening.add(whitening)
        self.whitening.finish()
        return found
