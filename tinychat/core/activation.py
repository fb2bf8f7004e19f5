"""What bends the feed-forward: ReLU, GELU and SiLU, each number for itself."""

import math

import numpy as np
from numpy.typing import DTypeLike

from tinychat.core.normal import normal_cdf
from tinychat.core.parameters import Floats
from tinychat.core.scratch import Scratch


class ReLU:
    """y = max(x, 0)."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._scratch = Scratch(dtype)
        self._zero = np.zeros((), dtype)  # a Python number would be made one at every call

    def forward(self, x: Floats) -> Floats:
        """Map x to y of the same shape."""
        self.y = np.maximum(x, self._zero, out=self._scratch("y", *x.shape))
        return self.y

    def backward(self, dy: Floats) -> Floats:
        """Map dy to dx of the same shape: dx = dy where y > 0, else 0."""
        dx = np.sign(self.y, out=self._scratch("dx", *dy.shape))  # 1 where y > 0, else 0
        dx *= dy
        return dx


class SiLU:
    """y = x sigmoid(x), also called swish (Elfwing et al. 2017)."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._scratch = Scratch(dtype)

    def forward(self, x: Floats) -> Floats:
        """Map x to y of the same shape."""
        sigmoid = self._scratch("sigmoid", *x.shape)
        y = self._scratch("y", *x.shape)
        np.negative(x, out=sigmoid)
        with np.errstate(over="ignore"):  # 1 / (1 + inf) is the 0 that it should be
            np.exp(sigmoid, out=sigmoid)
        sigmoid += 1
        np.reciprocal(sigmoid, out=sigmoid)
        self.sigmoid, self.y = sigmoid, np.multiply(x, sigmoid, out=y)
        return y

    def backward(self, dy: Floats) -> Floats:
        """Map dy to dx of the same shape.

        With s = sigmoid(x) and ds/dx = s (1 - s):   dy/dx = s + x s (1 - s) = s + y (1 - s)
        """
        dx = self._scratch("dx", *dy.shape)
        np.subtract(1, self.sigmoid, out=dx)
        dx *= self.y
        dx += self.sigmoid
        dx *= dy
        return dx


class GELUTanh:
    """y = x (1 + t) / 2 with t = tanh(sqrt(2 / pi) (x + 0.044715 x^3)): GPT-2's and Gemma's form of GELU.

    Hendrycks & Gimpel 2016, section 2.
    """

    SLOPE = math.sqrt(2 / math.pi)
    CUBIC = 0.044715

    def __init__(self, dtype: DTypeLike) -> None:
        self._scratch = Scratch(dtype)

    def forward(self, x: Floats) -> Floats:
        """Map x to y of the same shape."""
        t = self._scratch("t", *x.shape)
        y = self._scratch("y", *x.shape)
        np.multiply(x, x, out=t)
        t *= self.SLOPE * self.CUBIC
        t += self.SLOPE
        t *= x
        np.tanh(t, out=t)
        np.add(t, 1, out=y)
        y *= x
        y *= 0.5
        self.x, self.t = x, t
        return y

    def backward(self, dy: Floats) -> Floats:
        """Map dy to dx of the same shape.

        With u = SLOPE (x + CUBIC x^3), t = tanh(u) and dt/du = 1 - t^2:
        dy/dx = (1 + t) / 2 + x / 2 (1 - t^2) SLOPE (1 + 3 CUBIC x^2)
        """
        x, t = self.x, self.t
        dx = self._scratch("dx", *dy.shape)
        slope = self._scratch("slope", *dy.shape)
        np.multiply(x, x, out=slope)
        slope *= 3 * self.SLOPE * self.CUBIC
        slope += self.SLOPE
        slope *= x
        np.multiply(t, t, out=dx)
        np.subtract(1, dx, out=dx)
        dx *= slope
        dx += t
        dx += 1
        dx *= 0.5
        dx *= dy
        return dx


class GELU:
    """y = x Phi(x), Phi being the normal distribution function (Hendrycks & Gimpel 2016)."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._scratch = Scratch(dtype)

    def forward(self, x: Floats) -> Floats:
        """Map x to y of the same shape."""
        self.x, self.phi, self.bell = x, self._scratch("phi", *x.shape), self._scratch("bell", *x.shape)
        normal_cdf(x, self.phi, self.bell, self._scratch)
        return np.multiply(x, self.phi, out=self._scratch("y", *x.shape))

    def backward(self, dy: Floats) -> Floats:
        """Map dy to dx of the same shape: dy/dx = Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)."""
        dx = self._scratch("dx", *dy.shape)
        np.multiply(self.bell, self.x, out=dx)
        dx *= 1 / math.sqrt(2 * math.pi)
        dx += self.phi
        dx *= dy
        return dx


ACTIVATIONS: dict[str, type[ReLU] | type[GELU] | type[GELUTanh] | type[SiLU]] = {
    "relu": ReLU,
    "gelu": GELU,
    "gelu_tanh": GELUTanh,
    "silu": SiLU,
}
"""By the name that `ModelConfig.activation` has for them."""
