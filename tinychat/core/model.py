"""The transformer: embedding, blocks, projection onto the vocabulary, loss. It only wires; layers compute."""

import numpy as np
from numpy.typing import DTypeLike

from tinychat.config import ModelConfig
from tinychat.core.block import Block
from tinychat.core.embedding import Embedding
from tinychat.core.loss import CrossEntropy, Loss
from tinychat.core.output import OutputProjection
from tinychat.core.parameters import Floats, Ids, Parameters, ParameterSpec


class Transformer:
    """A decoder-only transformer of the shape that `config` gives, its weights 0 until they are set."""

    def __init__(self, config: ModelConfig, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.parameters = Parameters(self.specs(config), dtype)
        self.embedding = Embedding(self.parameters.scope("embedding"))
        self.blocks = [Block(self.parameters, config, index) for index in range(config.n_layers)]
        self.output = OutputProjection(self.parameters.scope("output"))
        self.cross_entropy = CrossEntropy(self.parameters.values.dtype)

    @staticmethod
    def specs(config: ModelConfig) -> list[ParameterSpec]:
        """Name, shape and initial distribution of every parameter, in the order of the flat vector."""
        return [
            *Embedding.specs(config, "embedding"),
            *(spec for index in range(config.n_layers) for spec in Block.specs(config, index)),
            *OutputProjection.specs(config, "output"),
        ]

    @property
    def n_parameters(self) -> int:
        return self.parameters.values.size

    def forward(self, ids: Ids) -> Floats:
        """Map ids of shape (B, T), T at most max_seq_len, to the model's logits of shape (B, T, V)."""
        x = self.embedding.forward(ids)
        for block in self.blocks:
            x = block.forward(x)
        return self.output.forward(x)

    def backward(self, dlogits: Floats) -> None:
        """Gradient of the loss by the logits, of shape (B, T, V): overwrites `parameters.grads`."""
        dx = self.output.backward(dlogits)
        for block in reversed(self.blocks):
            dx = block.backward(dx)
        self.embedding.backward(dx)

    def loss(self, ids: Ids, targets: Ids) -> Loss:
        """Ids and targets of shape (B, T): the loss of predicting the targets; IGNORE does not count."""
        return self.cross_entropy.forward(self.forward(ids), targets)

    def loss_and_gradients(self, ids: Ids, targets: Ids) -> Loss:
        """As `loss`, and `parameters.grads` becomes the gradient of the mean loss a token."""
        loss = self.loss(ids, targets)
        self.backward(self.cross_entropy.backward())
        return loss
