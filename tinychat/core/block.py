"""Transformer block: attention, then feed-forward, each added to its input and normalised somewhere.

post      x + sub-layer(x), then norm                     (Vaswani et al. 2017)
pre       x + sub-layer(norm(x))                          (Xiong et al. 2020)
sandwich  x + norm(sub-layer(norm(x)))                    (Ding et al. 2021; Gemma 3)
"""

from tinychat.config import ModelConfig
from tinychat.core.attention import SelfAttention
from tinychat.core.dropout import Draws
from tinychat.core.feed_forward import FeedForward
from tinychat.core.layer import Layer
from tinychat.core.norm import NORMS
from tinychat.core.parameters import Floats, Parameters, ParameterSpec


class Residual:
    """A sub-layer with its norms, and the path around it."""

    def __init__(
        self,
        sub_layer: Layer,
        before: Layer | None = None,
        inside: Layer | None = None,
        after: Layer | None = None,
    ) -> None:
        """y = after(x + inside(sub_layer(before(x)))), without the norms that are not given."""
        self.branch = [layer for layer in (before, sub_layer, inside) if layer is not None]
        self.after = after

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to y of shape (B, T, D)."""
        y = x
        for layer in self.branch:
            y = layer.forward(y)
        y += x
        return y if self.after is None else self.after.forward(y)

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (B, T, D) to dx of shape (B, T, D).

        A sum hands its gradient to both summands: the branch and the input beside it.
        """
        if self.after is not None:
            dy = self.after.backward(dy)
        dx = dy
        for layer in reversed(self.branch):
            dx = layer.backward(dx)
        dx += dy
        return dx


class Block:
    """Attention and feed-forward, each in its Residual."""

    def __init__(self, parameters: Parameters, config: ModelConfig, index: int, draws: Draws) -> None:
        def norm(name: str) -> Layer:
            return NORMS[config.norm](parameters.scope(f"{name}.{index}"), config)

        self.attention = SelfAttention(parameters.scope(f"attention.{index}"), config, index, draws)
        self.feed_forward = FeedForward(parameters.scope(f"feed_forward.{index}"), config, draws)
        self.residuals = []
        for name, sub_layer in (("norm1", self.attention), ("norm2", self.feed_forward)):
            if config.norm_position == "post":
                residual = Residual(sub_layer, after=norm(name))
            elif config.norm_position == "pre":
                residual = Residual(sub_layer, before=norm(name))
            else:
                residual = Residual(sub_layer, before=norm(name), inside=norm(f"post_{name}"))
            self.residuals.append(residual)

    @classmethod
    def specs(cls, config: ModelConfig, index: int) -> list[ParameterSpec]:
        def norm(name: str) -> list[ParameterSpec]:
            specs = NORMS[config.norm].specs(config, f"{name}.{index}")
            if config.norm_position == "sandwich":
                specs += NORMS[config.norm].specs(config, f"post_{name}.{index}")
            return specs

        return [
            *SelfAttention.specs(config, f"attention.{index}"),
            *norm("norm1"),
            *FeedForward.specs(config, f"feed_forward.{index}"),
            *norm("norm2"),
        ]

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to y of shape (B, T, D)."""
        for residual in self.residuals:
            x = residual.forward(x)
        return x

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (B, T, D) to dx of shape (B, T, D)."""
        for residual in reversed(self.residuals):
            dy = residual.backward(dy)
        return dy
