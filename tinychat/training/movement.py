"""How strong the gradient of every layer is, and how far an update moves its weights."""

import math
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

import numpy as np

from tinychat.core.parameters import Floats, Parameters, ParameterSpec

ROWS = 100
"""Examples that are learnt, at least, for one update that is measured: that takes about as long as a fifth
of an example."""

_LAYER_OF_NORM = {
    "norm1": "attention",
    "post_norm1": "attention",
    "norm2": "feed_forward",
    "post_norm2": "feed_forward",
    "norm": "output",
}


class Movement(NamedTuple):
    """Of one update, by layer: see `layer_places` for the names."""

    grad_norms: dict[str, float]
    """L2 norm of the gradient."""
    update_ratios: dict[str, float]
    """L2 norm of the change of the weights, as a share of that of the weights before. About 0.001 is
    healthy for Adam (Karpathy 2022, "makemore 3"): far above, they are thrown about, far below, they rest."""


class MovementMeter:
    """Measures an update: `before` once the gradients are there, `after` once the weights have changed."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._places = layer_places(parameters.specs)
        self._weights: Floats = np.empty(0, parameters.values.dtype)

    def before(self) -> None:
        values = self._parameters.values
        if self._weights.size == 0:
            self._weights = np.empty_like(values)
        self._weights[...] = values
        self._grad_norms = self._norms(self._parameters.grads)

    def after(self) -> Movement:
        """Empty if a figure is not finite: then the training diverges, which the next loss tells."""
        with np.errstate(all="ignore"):
            before = self._norms(self._weights)
            moved = self._norms(np.subtract(self._parameters.values, self._weights, out=self._weights))
        ratios = {name: moved[name] / max(before[name], 1e-30) for name in moved}
        if not all(map(math.isfinite, (*self._grad_norms.values(), *ratios.values()))):
            return Movement({}, {})
        return Movement(self._grad_norms, ratios)

    def _norms(self, flat: Floats) -> dict[str, float]:
        parts = ((name, flat[place]) for name, place in self._places.items())
        return {name: float(np.sqrt(np.dot(part, part))) for name, part in parts}


def layer_places(specs: Iterable[ParameterSpec]) -> dict[str, slice]:
    """Where every layer's parameters are in the flat vector.

    The names are those of the parameters: `embedding`, then `attention.0` and `feed_forward.0` for every
    block, each with the norms around it, and `output` with the last norm.
    """
    places, start = {}, 0
    for name, members in groupby(specs, key=_layer):
        stop = start + sum(spec.size for spec in members)
        places[name] = slice(start, stop)
        start = stop
    return places


def _layer(spec: ParameterSpec) -> str:
    kind, number = spec.name.split(".")[:2]
    layer = _LAYER_OF_NORM.get(kind, kind)
    return f"{layer}.{number}" if number.isdigit() else layer


def is_epoch_measured(epoch: int, n_rows: int) -> bool:
    """Whether the last update of an epoch, counted from 0, is measured; not of every one of few rows."""
    return epoch % math.ceil(ROWS / n_rows) == 0
