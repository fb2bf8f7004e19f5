"""Layer normalisation (Ba et al. 2016): every vector to mean 0 and variance 1, then gain and bias."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.parameters import Floats, ParameterScope, ParameterSpec
from tinychat.core.scratch import Scratch

EPS = 1e-5


class LayerNorm:
    """y = x_hat * gain + bias with x_hat = (x - mean) * rstd and rstd = 1 / sqrt(variance + EPS)."""

    def __init__(self, scope: ParameterScope) -> None:
        self.gain, self.dgain = scope["gain"], scope.grad("gain")  # (D,)
        self.bias, self.dbias = scope["bias"], scope.grad("bias")  # (D,)
        self._scratch = Scratch(self.gain.dtype)
        # A mean as a product with this vector is several times faster than ndarray.mean.
        self._average = np.full(self.gain.size, 1 / self.gain.size, self.gain.dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str) -> list[ParameterSpec]:
        return [
            ParameterSpec(f"{prefix}.gain", (config.d_model,), mean=1.0),
            ParameterSpec(f"{prefix}.bias", (config.d_model,)),
        ]

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to y of shape (B, T, D)."""
        x_hat = self._scratch("x_hat", *x.shape)
        y = self._scratch("y", *x.shape)
        np.subtract(x, (x @ self._average)[..., None], out=x_hat)
        np.multiply(x_hat, x_hat, out=y)
        variance = y @ self._average  # (B, T)
        rstd = 1 / np.sqrt(variance + EPS)
        x_hat *= rstd[..., None]
        np.multiply(x_hat, self.gain, out=y)
        y += self.bias
        self.x_hat, self.rstd = x_hat, rstd
        return y

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (B, T, D) to dx of shape (B, T, D).

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
        np.dot(ones, dy.reshape(-1, D), out=self.dbias)
        np.multiply(dy, self.gain, out=dx)
        mean = dx @ self._average  # (B, T)
        product *= self.gain
        mean_with_x_hat = product @ self._average  # (B, T)
        np.multiply(x_hat, mean_with_x_hat[..., None], out=product)
        dx -= mean[..., None]
        dx -= product
        dx *= self.rstd[..., None]
        return dx
