"""Transformer block, post-norm: every sub-layer is added to its input, then normalised."""

from tinychat.config import ModelConfig
from tinychat.core.attention import SelfAttention
from tinychat.core.feed_forward import FeedForward
from tinychat.core.norm import LayerNorm
from tinychat.core.parameters import Floats, Parameters, ParameterSpec


class Block:
    """a = norm1(x + attention(x)); y = norm2(a + feed_forward(a))."""

    def __init__(self, parameters: Parameters, config: ModelConfig, index: int) -> None:
        self.attention = SelfAttention(parameters.scope(f"attention.{index}"), config)
        self.norm1 = LayerNorm(parameters.scope(f"norm1.{index}"))
        self.feed_forward = FeedForward(parameters.scope(f"feed_forward.{index}"))
        self.norm2 = LayerNorm(parameters.scope(f"norm2.{index}"))

    @classmethod
    def specs(cls, config: ModelConfig, index: int) -> list[ParameterSpec]:
        return [
            *SelfAttention.specs(config, f"attention.{index}"),
            *LayerNorm.specs(config, f"norm1.{index}"),
            *FeedForward.specs(config, f"feed_forward.{index}"),
            *LayerNorm.specs(config, f"norm2.{index}"),
        ]

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to y of shape (B, T, D)."""
        attended = self.attention.forward(x)
        attended += x
        a = self.norm1.forward(attended)
        fed = self.feed_forward.forward(a)
        fed += a
        return self.norm2.forward(fed)

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (B, T, D) to dx of shape (B, T, D).

        A sum hands its gradient to both summands: the sub-layer and the input beside it.
        """
        dfed = self.norm2.backward(dy)
        da = self.feed_forward.backward(dfed)
        da += dfed
        dattended = self.norm1.backward(da)
        dx = self.attention.backward(dattended)
        dx += dattended
        return dx
