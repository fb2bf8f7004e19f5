"""A process that takes a part of every batch: `python -m tinychat.training.worker`, started by Workers.

On standard input come pickled messages: first an Opening, then a Part for every update; upon each Part goes
back, on standard output, the Loss or the exception that came in its place. The end of the input ends it.
"""

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from threadpoolctl import threadpool_limits

from tinychat.config import ModelConfig
from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.training.batches import Batch


@dataclass(frozen=True)
class Opening:
    """Which model, where its vectors are, and which of them is for this worker's gradients."""

    config: ModelConfig
    path: Path
    shape: tuple[int, int]
    dtype: str
    number: int


@dataclass(frozen=True)
class Part:
    """A worker's part of a batch, what share of its tokens that has, and what draws its dropout."""

    batch: Batch
    share: float
    rng: np.random.Generator | None


def shared_vectors(path: Path, shape: tuple[int, int], dtype: str) -> Floats:
    """The vectors, of length P, that all processes see: weights, then each worker's gradients."""
    return np.asarray(np.memmap(path, dtype, "r+", shape=shape))


def learn(model: Transformer, part: Part) -> Loss:
    """The model's gradients become the part's share in those of the whole batch."""
    with np.errstate(all="ignore"):  # what overflows is told by the trainer
        loss = model.loss_and_gradients(*part.batch, part.rng)
        model.parameters.grads *= part.share
    return loss


def work(messages: BinaryIO, answers: BinaryIO) -> None:
    """Until there are no more messages."""
    opening: Opening = pickle.load(messages)
    vectors = shared_vectors(opening.path, opening.shape, opening.dtype)
    model = Transformer(opening.config, values=vectors[0])
    while True:
        try:
            part: Part = pickle.load(messages)
        except EOFError:
            return
        answer: Loss | Exception
        try:
            answer = learn(model, part)
            vectors[opening.number] = model.parameters.grads
        except Exception as error:  # told where it is heard
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    with threadpool_limits(1, "blas"):
        work(sys.stdin.buffer, sys.stdout.buffer)
