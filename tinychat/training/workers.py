"""Threads that each take a part of a batch.

NumPy lets go of the interpreter in products and long loops, so that they run at the same time.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tinychat.core.loss import Loss
from tinychat.core.model import Transformer
from tinychat.training.batches import to_batch
from tinychat.training.rows import Row


class Workers:
    """The model and copies of it that share its weights, each with gradients and work arrays of its own.

    What is added up in which order depends on the number of workers, and so do the last bits of the result;
    it does not depend on which of them is ready first.
    """

    def __init__(self, transformer: Transformer, n: int) -> None:
        self.models = [transformer, *(transformer.sharing_weights() for _ in range(n - 1))]
        self._pool = ThreadPoolExecutor(n - 1, "worker") if n > 1 else None

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def loss_and_gradients(self, rows: Sequence[Row], rngs: Sequence[np.random.Generator | None]) -> Loss:
        """As the Transformer's, of all rows together; one generator a worker.

        Neighbouring rows, which are about equally long, go to different workers.
        """
        n = min(len(self.models), len(rows))
        parts = [rows[worker::n] for worker in range(n)]
        if self._pool is None or n == 1:
            return _learn(self.models[0], parts[0], rngs[0])
        others = [
            self._pool.submit(_learn, self.models[worker], parts[worker], rngs[worker])
            for worker in range(1, n)
        ]
        losses = [_learn(self.models[0], parts[0], rngs[0]), *(other.result() for other in others)]
        total = Loss.sum(losses)
        grads = self.models[0].parameters.grads
        for model, loss in zip(self.models, losses, strict=False):
            model.parameters.grads *= loss.tokens / max(total.tokens, 1)
            if model is not self.models[0]:
                grads += model.parameters.grads
        return total


def _learn(model: Transformer, rows: Sequence[Row], rng: np.random.Generator | None) -> Loss:
    with np.errstate(all="ignore"):  # each thread has its own; what overflows is told by the trainer
        return model.loss_and_gradients(*to_batch(rows), rng)
