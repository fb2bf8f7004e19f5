"""Directions in which weights may move without changing what is said to much else.

A matrix w changes its outputs by x dw: where the former inputs x hardly ever pointed, it may change without
harm. With C the mean of their x^T x and S = (C / mean eigenvalue + DAMPING)^(-1/2), a step of z in
w = w0 + S z changes the former outputs by about its own length, whatever its direction. K-FAC (Martens &
Grosse 2015) and ROME (Meng et al. 2022) divide by the same C.
"""

from collections.abc import Iterator

import numpy as np

from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats

DAMPING = 0.03
"""Share of a mean eigenvalue at which a direction counts as not in use."""


class Whitening:
    """Collects what every matrix of a transformer reads, then scales gradients and steps by it."""

    def __init__(self) -> None:
        self._sums: dict[str, Floats] = {}
        self._scales: dict[str, Floats] = {}

    def collect(self, transformer: Transformer, is_text: Floats) -> None:
        """After a forward pass; `is_text`, of shape (B T,), is 0 for the places that are mere padding."""
        for name, x in _inputs(transformer):
            x = x if len(x) != len(is_text) else x * is_text[:, None]
            self._sums[name] = self._sums.get(name, 0) + x.T @ x

    def add(self, other: "Whitening") -> None:
        """What another one has collected."""
        for name, total in other._sums.items():
            self._sums[name] = self._sums.get(name, 0) + total

    def finish(self) -> None:
        """S = U (lambda / mean + DAMPING)^(-1/2) U^T for the collected U lambda U^T."""
        for name, total in self._sums.items():
            lengths, directions = np.linalg.eigh(total.astype(np.float64))
            lengths = np.maximum(lengths, 0) / max(float(lengths.mean()), 1e-30)
            scale = (directions * (lengths + DAMPING) ** -0.5) @ directions.T
            self._scales[name] = scale.astype(total.dtype)

    def scale_(self, transformer: Transformer, flat: Floats) -> None:
        """Multiply the matrices in a vector of shape (P,) by S: gradients by w to those by z, or dz to dw."""
        for name, view in transformer.parameters.views(flat):
            if (scale := self._scales.get(name)) is not None:
                view[...] = view @ scale if name == "embedding.w_token" else scale @ view


def _inputs(transformer: Transformer) -> Iterator[tuple[str, Floats]]:
    """Name of each matrix, and what it read last, of shape (places, rows)."""
    for index, block in enumerate(transformer.blocks):
        attention, feed_forward = block.attention, block.feed_forward
        yield f"attention.{index}.w_qkv", attention.x
        if attention.w_o is not None:
            yield f"attention.{index}.w_o", attention.heads.reshape(len(attention.x), -1)
        yield f"feed_forward.{index}.w_{'gate_up' if feed_forward.is_gated else 'up'}", feed_forward.x
        yield f"feed_forward.{index}.w_down", feed_forward.h
    yield "embedding.w_token" if transformer.config.tie_embeddings else "output.w_out", transformer.output.x
