"""The transformer: embedding, blocks, projection onto the vocabulary, loss. It only wires; layers compute."""

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from tinychat.config import ModelConfig
from tinychat.core.block import Block
from tinychat.core.dropout import Draws
from tinychat.core.embedding import Embedding
from tinychat.core.loss import CrossEntropy, Loss
from tinychat.core.norm import NORMS
from tinychat.core.output import OutputProjection
from tinychat.core.parameters import Floats, Ids, Parameters, ParameterSpec
from tinychat.core.places import CountedPlaces


class Transformer:
    """A decoder-only transformer of the shape that `config` gives, its weights 0 until they are set.

    With `values`, a flat vector of weights, it works on those, whoever else does; so with `grads`.
    """

    def __init__(
        self,
        config: ModelConfig,
        dtype: DTypeLike = np.float32,
        values: Floats | None = None,
        grads: Floats | None = None,
    ) -> None:
        self.config = config
        self.draws = Draws()
        self.parameters = Parameters(self.specs(config), dtype, values, grads)
        scope = self.parameters.scope
        self.embedding = Embedding(scope("embedding"), config, self.draws)
        self.blocks = [Block(self.parameters, config, index, self.draws) for index in range(config.n_layers)]
        # The sum of all residual branches is normalised once more, unless the blocks end with a norm.
        ends_with_norm = config.norm_position == "post"
        self.norm = None if ends_with_norm else NORMS[config.norm](scope("norm"), config)
        self.places = CountedPlaces(self.parameters.values.dtype)
        self.output = OutputProjection(scope("output"), config, scope("embedding"))
        self.cross_entropy = CrossEntropy(self.parameters.values.dtype)
        self.before_stage: Callable[[int], None] = lambda _: None
        """Called before weights are read: with 1 for the first block, and so on, one more for the output. For
        the embedding, stage 0, it is not: whoever sets this has its weights ready."""
        self.n_reads = 0
        """How often ids were read: the layers' arrays hold what belongs to the last time."""

    @staticmethod
    def specs(config: ModelConfig) -> list[ParameterSpec]:
        """Name, shape and initial distribution of every parameter, in the order of the flat vector."""
        return [
            *Embedding.specs(config, "embedding"),
            *(spec for index in range(config.n_layers) for spec in Block.specs(config, index)),
            *([] if config.norm_position == "post" else NORMS[config.norm].specs(config, "norm")),
            *OutputProjection.specs(config, "output"),
        ]

    @property
    def n_parameters(self) -> int:
        return self.parameters.values.size

    def forward(self, ids: Ids) -> Floats:
        """Map ids of shape (B, T), T at most max_seq_len, to the model's logits of shape (B, T, V)."""
        return self._logits(self._hidden(ids))

    def backward(self, dlogits: Floats) -> None:
        """Gradient of the loss by the logits, of shape (B, T, V): overwrites `parameters.grads`."""
        self._hidden_backward(self._logits_backward(dlogits))

    def loss(
        self,
        ids: Ids,
        targets: Ids,
        rng: np.random.Generator | None = None,
        n_idle: int = CountedPlaces.FEW,
    ) -> Loss:
        """Ids and targets of shape (B, T): the loss of predicting the targets; IGNORE does not count.

        With dropout in the config, `rng` draws what is dropped; without `rng` nothing is. For `n_idle` see
        `predictions`.
        """
        self.draws.rng = rng
        try:
            return self.cross_entropy.forward(*self.predictions(ids, targets, n_idle))
        finally:
            self.draws.rng = None

    def gradients(self, wanted: Floats | None = None) -> None:
        """After `loss`, and once: `parameters.grads` becomes the gradient of its mean a token.

        With `wanted`, of shape (N, V), probabilities at the places that count (and after a loss with
        `n_idle` 0), the gradient is that of the cross-entropy with those in place of the targets.
        """
        dhidden = self._logits_backward(self.cross_entropy.backward(wanted))
        self._hidden_backward(self.places.backward(dhidden))

    def predictions(self, ids: Ids, targets: Ids, n_idle: int = 0) -> tuple[Floats, Ids]:
        """Ids and targets of shape (B, T) -> logits of shape (1, N, V) at the N places that count, in order,
        and their targets, of shape (1, N). Up to `n_idle` that do not count may be among them.
        """
        hidden, counted = self.places.forward(self._hidden(ids), targets, n_idle)
        return self._logits(hidden), counted

    def loss_and_gradients(
        self,
        ids: Ids,
        targets: Ids,
        rng: np.random.Generator | None = None,
        wanted: Floats | None = None,
    ) -> Loss:
        """`loss`, and then `gradients`."""
        loss = self.loss(ids, targets, rng, CountedPlaces.FEW if wanted is None else 0)
        self.gradients(wanted)
        return loss

    def _hidden(self, ids: Ids) -> Floats:
        """Ids of shape (B, T) -> what the last block says, of shape (B, T, D)."""
        self.n_reads += 1
        x = self.embedding.forward(ids)
        for stage, block in enumerate(self.blocks, 1):
            self.before_stage(stage)
            x = block.forward(x)
        return x

    def _hidden_backward(self, dx: Floats) -> None:
        for block in reversed(self.blocks):
            dx = block.backward(dx)
        self.embedding.backward(dx)

    def _logits(self, x: Floats) -> Floats:
        self.before_stage(1 + len(self.blocks))
        return self.output.forward(x if self.norm is None else self.norm.forward(x))

    def _logits_backward(self, dlogits: Floats) -> Floats:
        dx = self.output.backward(dlogits)
        return dx if self.norm is None else self.norm.backward(dx)
