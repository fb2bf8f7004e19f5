"""Several processes that each take a part of a batch, and add up what they find.

Threads would do for long products. In a model this small most NumPy calls take some ten microseconds, and as
long takes each change of the thread that holds the interpreter.
"""

import pickle
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, cast

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Ids
from tinychat.errors import WorkerError
from tinychat.training.batches import Batch, to_batch
from tinychat.training.helper import InPlace
from tinychat.training.optimizer import Optimizer, global_norm
from tinychat.training.processes import end_process, gone, n_cores, start_process
from tinychat.training.rows import Row
from tinychat.training.team import Found
from tinychat.training.worker import (
    Assignment,
    Part,
    Reading,
    Task,
    arrays_in,
    learn,
    read,
    shared_counts,
    shared_vectors,
)
from tinychat.wording import counted


def useless_workers(config: TrainConfig) -> str | None:
    """What to tell a user who wants more processes than can be of use."""
    n, rows, cores = config.workers, config.batch_size, n_cores()
    if rows == 1 and n <= 2:  # a partner comes only where there is a core for it
        return None
    if n > max(rows, 2):
        return (
            f"{n} workers cannot share a batch of {counted(rows, 'row')}; "
            f"take at most --workers {max(rows, 2)}, or a larger --batch-size"
        )
    if n > cores:
        return (
            f"{n} workers are more than the {counted(cores, 'core')} of this machine, "
            f"and wait for each other; take at most --workers {cores}"
        )
    return None


class Workers:
    """This process and others, a Team. Leaving the `with` block ends the others.

    What is added up in which order depends on the number of workers, and so do the last bits of the result;
    it does not depend on which of them is ready first.
    """

    def __init__(self, transformer: Transformer, n: int) -> None:
        """Start n - 1 processes; raise WorkerError if that cannot be done."""
        self.transformer = transformer
        self.others: list[Worker] = []
        self._folder: TemporaryDirectory[str] | None = None
        self._vectors: Floats = np.empty((0, 0))
        self._counts: Ids = np.empty(0, np.int64)
        if n > 1:
            try:
                self._share(n)
            except OSError as error:
                self.close()
                raise WorkerError(
                    f"no other process can take part in the training: {error.strerror}; "
                    "make room in the folder for temporary files, or train with --workers 1"
                ) from error
            except BaseException:
                self.close()
                raise

    def _share(self, n: int) -> None:
        """Raise OSError if there is no room, or no process can be started."""
        values = self.transformer.parameters.values
        self._folder = TemporaryDirectory(prefix="tinychat-", ignore_cleanup_errors=True)
        path, shape = Path(self._folder.name) / "vectors", (n, values.size)
        with path.open("wb") as file:
            for _ in range(n):  # a file with holes would fail later, when the mapping is written to
                file.write(bytes(values.nbytes))
        self._vectors = shared_vectors(path, shape, values.dtype.str)
        self._counts = shared_counts(path, n, is_new=True)
        for number in range(1, n):
            assignment = Assignment(self.transformer.config, path, shape, values.dtype.str, number)
            self.others.append(Worker(assignment, self._vectors[number], self._counts[number : number + 1]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the others, and let go of the file before it is removed."""
        while self.others:
            self.others.pop().kill()
        self._vectors, self._counts = np.empty((0, 0)), np.empty(0, np.int64)
        if self._folder is not None:
            self._folder.cleanup()

    def loss_and_gradients(
        self,
        rows: Sequence[Row],
        rngs: Sequence[np.random.Generator | None],
        meanwhile: Callable[[], bool] | None = None,
    ) -> Loss:
        """See Team; one generator for every worker that is to take part.

        Neighbouring rows, which are about equally long, go to different workers.
        """
        n = min(len(rngs), len(rows))
        if n == 1:
            with np.errstate(all="ignore"):  # what overflows is told by the trainer
                batch = to_batch(rows, self.transformer.config.max_seq_len)
                return self.transformer.loss_and_gradients(*batch, rngs[0])
        split = [rows[worker::n] for worker in range(n)]
        counts = [sum(row.n_predicted for row in part) for part in split]
        parts = [
            Part(to_batch(part), count / max(sum(counts), 1), rng)
            for part, count, rng in zip(split, counts, rngs, strict=False)
        ]
        parameters = self.transformer.parameters
        self._vectors[0] = parameters.values
        others = self.others[: n - 1]
        for other, part in zip(others, parts[1:], strict=True):
            other.send(part)
        losses = [learn(self.transformer, parts[0])]
        while meanwhile and not all(other.has_answered for other in others) and meanwhile():
            pass
        losses += [cast(Loss, other.receive()) for other in others]
        for grads in self._vectors[1:n]:
            parameters.grads += grads
        return Loss.sum(losses)

    def read(self, function: Callable[[Transformer, Batch], Found], batches: Sequence[Batch]) -> list[Found]:
        """See Team. One worker reads a batch alone, so that their number changes nothing."""
        n = 1 + len(self.others)
        if self.others:
            self._vectors[0] = self.transformer.parameters.values
        for number, other in enumerate(self.others, 1):
            other.send(Reading(function, list(batches[number::n])))
        parts = [read(self.transformer, function, batches[::n])]
        parts += [cast(list[Found], other.receive()) for other in self.others]
        return [parts[number % n][number // n] for number in range(len(batches))]

    def global_norm(self) -> float:
        """See Team."""
        return global_norm(self.transformer.parameters.grads)

    def step(
        self,
        optimizer: Optimizer,
        config: TrainConfig,
        lr: float,
        scale: float = 1.0,
        coming: Sequence[Row] | None = None,
    ) -> None:
        """See Team. As many workers help as the config has; what is `coming` next is of no use here."""
        if scale != 1:
            self.transformer.parameters.grads *= scale
        optimizer.step(config, lr, self.others[: config.workers - 1])


class Worker:
    """Another process, which gets messages and answers them; it is a Helper between two batches."""

    def __init__(self, assignment: Assignment, vector: Floats, count: Ids) -> None:
        """The vector and, of shape (1,), the number of answers are those in the shared files."""
        self._vector, self._count = vector, count
        self._n_asked = -1  # no answer comes upon the assignment
        self._arrays: list[Floats] = []
        self._process = start_process("tinychat.training.worker")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._messages, self._answers = self._process.stdin, self._process.stdout
        self.send(assignment)

    def begin(self, function: InPlace, arrays: Iterable[Floats]) -> None:
        shapes, end = [], 0
        for array in arrays:
            self._vector[end : end + array.size] = array.reshape(-1)
            end += array.size
            shapes.append(array.shape)
        self._arrays = arrays_in(self._vector, shapes)
        self.send(Task(function, shapes))

    def end(self) -> list[Floats]:
        self.receive()
        return self._arrays

    def send(self, message: Assignment | Part | Reading | Task) -> None:
        try:
            pickle.dump(message, self._messages)
            self._messages.flush()
            self._n_asked += 1
        except OSError as error:
            raise self._gone() from error

    @property
    def has_answered(self) -> bool:
        """Whether `receive` will have to wait for no more than the writing of the answer."""
        return int(self._count[0]) == self._n_asked

    def receive(self) -> Loss | list[Any] | None:
        try:
            answer = cast(Loss | list[Any] | Exception | None, pickle.load(self._answers))
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise self._gone() from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _gone(self) -> WorkerError:
        return gone(self._process)

    def kill(self) -> None:
        """At once: it has nothing to lose."""
        self._vector, self._count = np.empty(0), np.empty(0, np.int64)
        self._arrays = []
        end_process(self._process)
