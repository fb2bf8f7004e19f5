"""The one interface of all layers."""

from typing import Protocol

from tinychat.core.parameters import Floats


class Layer(Protocol):
    """Arrays in, arrays out; what `backward` needs, `forward` keeps.

    Both return arrays that the layer owns and overwrites at its next call.
    """

    def forward(self, x: Floats) -> Floats:
        """Map x to y; most layers map (B, T, D) to (B, T, D)."""
        ...

    def backward(self, dy: Floats) -> Floats:
        """Gradient of the loss by y -> by x; the gradients by the layer's weights are left in their views."""
        ...
