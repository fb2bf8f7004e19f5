"""Normalisation of every vector, whatever stands around it: layer norm and RMS norm."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.parameters import Floats, ParameterScope, ParameterSpec
from tinychat.core.scratch import Scratch


class LayerNorm:
    """y = x_hat * gain + bias with x_hat = (x - mean) * rstd and rstd = 1 / sqrt(variance + eps).

    Ba et al. 2016. Without biases in the config, y = x_hat * gain.
    """

    def __init__(self, scope: ParameterScope, config: ModelConfig) -> None:
        self.gain, self.dgain = scope["gain"], scope.grad("gain")  # (D,)
        self.bias, self.dbias = scope.optional("bias")  # (D,)
        self.eps = config.norm_eps
        self._scratch = Scratch(self.gain.dtype)
        # A mean as a product with this vector is several times faster than ndarray.mean.
        self._average = np.full(self.gain.size, 1 / self.gain.size, self.gain.dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str, width: int | None = None) -> list[ParameterSpec]:
        """For vectors of d_model numbers, or of `width`."""
        shape = (width or config.d_model,)
        biases = [ParameterSpec(f"{prefix}.bias", shape)] if config.bias else []
        return [ParameterSpec(f"{prefix}.gain", shape, mean=1.0), *biases]

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (..., D) to y of that shape."""
        x_hat = self._scratch("x_hat", *x.shape)
        y = self._scratch("y", *x.shape)
        np.subtract(x, (x @ self._average)[..., None], out=x_hat)
        rstd = np.asarray(np.vecdot(x_hat, x_hat))  # (...), D times the variance at first
        rstd *= 1 / len(self.gain)
        rstd += self.eps
        np.sqrt(rstd, out=rstd)
        np.reciprocal(rstd, out=rstd)
        x_hat *= rstd[..., None]
        np.multiply(x_hat, self.gain, out=y)
        if self.bias is not None:
            y += self.bias
        self.x_hat, self.rstd = x_hat, rstd
        return y

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (..., D) to dx of that shape.

        dgain = sum dy * x_hat and dbias = sum dy, over all places; dx_hat = dy * gain.
        Every x moves its own x_hat, the mean and the variance, and through those all x_hat of its vector:
        dx = rstd * (dx_hat - mean(dx_hat) - x_hat * mean(dx_hat * x_hat)), means over the D of one vector.
        """
        x_hat = self.x_hat
        D = dy.shape[-1]
        dx = self._scratch("dx", *dy.shape)
        product = self._scratch("product", *dy.shape)
        ones = self._scratch.ones(dy.size // D)
        np.multiply(dy, x_hat, out=product)
        np.dot(ones, product.reshape(-1, D), out=self.dgain)
        if self.dbias is not None:
            np.dot(ones, dy.reshape(-1, D), out=self.dbias)
        average_of_gained = self.gain * self._average
        mean = dy @ average_of_gained  # (...)
        mean_with_x_hat = product @ average_of_gained  # (...)
        np.multiply(dy, self.gain, out=dx)
        np.multiply(x_hat, mean_with_x_hat[..., None], out=product)
        dx -= mean[..., None]
        dx -= product
        dx *= self.rstd[..., None]
        return dx


class RMSNorm:
    """y = x_hat * gain with x_hat = x * rstd and rstd = 1 / sqrt(mean(x^2) + eps) (Zhang & Sennrich 2019)."""

    def __init__(self, scope: ParameterScope, config: ModelConfig) -> None:
        self.gain, self.dgain = scope["gain"], scope.grad("gain")  # (D,)
        self.eps = config.norm_eps
        self._scratch = Scratch(self.gain.dtype)
        self._average = np.full(self.gain.size, 1 / self.gain.size, self.gain.dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str, width: int | None = None) -> list[ParameterSpec]:
        """For vectors of d_model numbers, or of `width`."""
        return [ParameterSpec(f"{prefix}.gain", (width or config.d_model,), mean=1.0)]

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (..., D) to y of that shape."""
        x_hat = self._scratch("x_hat", *x.shape)
        y = self._scratch("y", *x.shape)
        rstd = 1 / np.sqrt(np.vecdot(x, x) * (1 / len(self.gain)) + self.eps)  # (...)
        np.multiply(x, rstd[..., None], out=x_hat)
        np.multiply(x_hat, self.gain, out=y)
        self.x_hat, self.rstd = x_hat, rstd
        return y

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (..., D) to dx of that shape.

        dgain = sum dy * x_hat, over all places; dx_hat = dy * gain.
        Every x moves its own x_hat, and through the mean square all x_hat of its vector:
        dx = rstd * (dx_hat - x_hat * mean(dx_hat * x_hat)), the mean over the D of one vector.
        """
        x_hat = self.x_hat
        D = dy.shape[-1]
        dx = self._scratch("dx", *dy.shape)
        product = self._scratch("product", *dy.shape)
        np.multiply(dy, x_hat, out=product)
        np.dot(self._scratch.ones(dy.size // D), product.reshape(-1, D), out=self.dgain)
        mean_with_x_hat = product @ (self.gain * self._average)  # (...)
        np.multiply(x_hat, mean_with_x_hat[..., None], out=product)
        np.multiply(dy, self.gain, out=dx)
        dx -= product
        dx *= self.rstd[..., None]
        return dx


NORMS: dict[str, type[LayerNorm] | type[RMSNorm]] = {"layernorm": LayerNorm, "rmsnorm": RMSNorm}
"""By the name that `ModelConfig.norm` has for them."""
