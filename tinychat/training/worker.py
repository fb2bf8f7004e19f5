"""A process that takes a part of every batch: Workers start it, with `main`.

On standard input come pickled messages: first an Assignment, then Parts, Readings and Tasks. Upon each of
these there goes back, on standard output, its Loss, what was found of each batch, or None; or the exception
that came instead. The end of the input ends it.
"""

import pickle
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from threadpoolctl import threadpool_limits

from tinychat.config import ModelConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Ids
from tinychat.core.scratch import Scratch
from tinychat.training.batches import Batch
from tinychat.training.helper import InPlace
from tinychat.training.team import Found


@dataclass(frozen=True)
class Assignment:
    """Which model, where its vectors are, and which of them is for this worker's gradients."""

    config: ModelConfig
    path: Path
    shape: tuple[int, int]
    dtype: str
    number: int


@dataclass(frozen=True)
class Task:
    """A function to apply to arrays of these shapes, which stand side by side in the worker's vector."""

    function: InPlace
    shapes: list[tuple[int, ...]]


@dataclass(frozen=True)
class Reading:
    """A function of the model and a batch, and batches of which its results are asked for."""

    function: Callable[[Transformer, Batch], Any]
    batches: list[Batch]


@dataclass(frozen=True)
class Part:
    """A worker's part of a batch, what share of its tokens that has, and what draws its dropout."""

    batch: Batch
    share: float
    rng: np.random.Generator | None


def shared_vectors(path: Path, shape: tuple[int, int], dtype: str) -> Floats:
    """The vectors, of length P, that all processes see: weights, then each worker's gradients."""
    return np.asarray(np.memmap(path, dtype, "r+", shape=shape))


def shared_counts(path: Path, n: int, is_new: bool = False) -> Ids:
    """How many answers each of n processes has ready, where all see it; the file is beside the vectors'."""
    return np.asarray(np.memmap(path.with_name("counts"), np.int64, "w+" if is_new else "r+", shape=(n,)))


def arrays_in(vector: Floats, shapes: Sequence[tuple[int, ...]]) -> list[Floats]:
    """Views of the arrays that stand there side by side."""
    ends = list(accumulate(map(prod, shapes)))
    return [vector[end - prod(shape) : end].reshape(shape) for shape, end in zip(shapes, ends, strict=True)]


def learn(model: Transformer, part: Part) -> Loss:
    """The model's gradients become the part's share in those of the whole batch."""
    with np.errstate(all="ignore"):  # what overflows is told by the trainer
        loss = model.loss_and_gradients(*part.batch, part.rng)
        model.parameters.grads *= part.share
    return loss


def read(
    model: Transformer, function: Callable[[Transformer, Batch], Found], batches: Sequence[Batch]
) -> list[Found]:
    """What the function finds of each batch; what is not finite is told by the trainer."""
    with np.errstate(all="ignore"):
        return [function(model, batch) for batch in batches]


def work(assignment: Assignment, messages: BinaryIO, answers: BinaryIO) -> None:
    """Until there are no more messages."""
    vectors = shared_vectors(assignment.path, assignment.shape, assignment.dtype)
    own, counts = vectors[assignment.number], shared_counts(assignment.path, assignment.shape[0])
    model = Transformer(assignment.config, values=vectors[0], grads=own)
    scratch = Scratch(vectors.dtype)
    while True:
        try:
            message: Part | Reading | Task = pickle.load(messages)
        except EOFError:
            return
        answer: Loss | list[Any] | Exception | None = None
        try:
            if isinstance(message, Part):
                answer = learn(model, message)
            elif isinstance(message, Reading):
                answer = read(model, message.function, message.batches)
            else:
                for array in arrays_in(own, message.shapes):
                    message.function(array, scratch)
        except Exception as error:  # told where it is heard
            answer = error
        counts[assignment.number] += 1
        pickle.dump(answer, answers)
        answers.flush()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for Windows, where a session of its own does not help
    with threadpool_limits(1, "blas"):
        assignment: Assignment = pickle.load(sys.stdin.buffer)
        try:
            with suppress(FileNotFoundError):  # another one has removed it already
                work(assignment, sys.stdin.buffer, sys.stdout.buffer)
        finally:  # whoever started us was killed, and removed nothing; else it would have ended us
            shutil.rmtree(assignment.path.parent, ignore_errors=True)
