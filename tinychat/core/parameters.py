"""All weights of a model in one flat vector, all gradients in another; names are views into them.

So the global norm, clipping, Adam, saving and averaging are each one operation on a vector.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

if TYPE_CHECKING:
    from tinychat.core.linear import LinearGradients

Floats = NDArray[np.floating[Any]]
Ids = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class ParameterSpec:
    """Name, shape and initial distribution: normal with deviation `std` around `mean`."""

    name: str
    shape: tuple[int, ...]
    std: float = 0.0
    mean: float = 0.0

    @property
    def size(self) -> int:
        return prod(self.shape)


def he(fan_in: int) -> float:
    """Standard deviation that keeps the variance of activations through a ReLU (He et al. 2015, eq. 10)."""
    return float((2.0 / fan_in) ** 0.5)


class Parameters:
    """Flat vectors `values` and `grads`, both ndarray of shape (P,), and named views into them.

    The vectors never grow and are never replaced: write into them (`p -= g`), or the views go stale.
    A backward pass overwrites all of `grads`; to accumulate over batches, add up the vectors.
    """

    def __init__(
        self,
        specs: Iterable[ParameterSpec],
        dtype: DTypeLike = np.float32,
        values: Floats | None = None,
        grads: Floats | None = None,
    ) -> None:
        """All 0, or the given vectors, shared with whoever else has them."""
        self.specs = tuple(specs)
        if values is None:
            values = np.zeros(sum(spec.size for spec in self.specs), dtype)
        self.values: Floats = values
        self.grads: Floats = np.zeros_like(values) if grads is None else grads
        self.linears: list[LinearGradients] = []
        """By the matrices of the layers on these parameters, in the order in which the layers are made."""
        self._value_views = dict(self.views(self.values))
        self._grad_views = dict(self.views(self.grads))

    def views(self, flat: Floats) -> Iterator[tuple[str, Floats]]:
        """Name and view, in order, of a vector laid out like `values`."""
        start = 0
        for spec in self.specs:
            yield spec.name, flat[start : start + spec.size].reshape(spec.shape)
            start += spec.size

    def initialise(self, rng: np.random.Generator) -> Self:
        """Draw every weight anew, in the order of the specs."""
        for spec in self.specs:
            view = self._value_views[spec.name]
            view[...] = spec.mean
            if spec.std:
                view += spec.std * rng.standard_normal(spec.shape, dtype=np.float32)
        return self

    def scope(self, prefix: str) -> "ParameterScope":
        """The parameters whose names begin with `prefix.`, under the rest of their names."""
        return ParameterScope(self._value_views, self._grad_views, self.linears, prefix + ".")


@dataclass(frozen=True)
class ParameterScope:
    """What one layer sees of the parameters: `scope["w_qkv"]`, `scope.grad("w_qkv")`."""

    values: dict[str, Floats]
    grads: dict[str, Floats]
    linears: "list[LinearGradients]"
    prefix: str

    def __getitem__(self, name: str) -> Floats:
        return self.values[self.prefix + name]

    def grad(self, name: str) -> Floats:
        return self.grads[self.prefix + name]

    def optional(self, name: str) -> tuple[Floats | None, Floats | None]:
        """Value and gradient of a parameter that not every config has; None and None without it."""
        return (self[name], self.grad(name)) if self.prefix + name in self.values else (None, None)

    def inner(self, prefix: str) -> "ParameterScope":
        """The parameters of a layer inside this one."""
        return ParameterScope(self.values, self.grads, self.linears, f"{self.prefix}{prefix}.")
