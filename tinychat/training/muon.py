"""Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/): momentum, orthogonalised.

The momentum U S V^T of a matrix has a few large singular values that drown the others. Muon's step is along
U V^T: all directions alike, to the length that AdamW's steps have.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters, ParameterSpec
from tinychat.core.scratch import Scratch
from tinychat.training.adam import AdamW
from tinychat.training.helper import Helper

A, B, C = 3.4445, -4.7750, 2.0315
"""Jordan's coefficients: they lift small singular values fast, and leave them between about 0.7 and 1.2."""
ITERATIONS = 5
RMS = 0.2
"""Root mean square of AdamW's usual updates at learning rate 1 (Liu et al. 2025, arXiv:2502.16982)."""
EPS = 1e-7
"""A momentum that is shorter is not stretched to length 1."""


def is_hidden_matrix(spec: ParameterSpec) -> bool:
    """Whether it maps hidden vectors to hidden vectors: no table of tokens or places, no logits."""
    return len(spec.shape) == 2 and spec.name.partition(".")[0] not in ("embedding", "output")


class Muon(AdamW):
    """Hidden matrices by their orthogonalised momentum, all other parameters by AdamW.

    `m` of shape (P,) is the momentum of the former and the first moment of the latter; `v` stays 0 for the
    former. What a layer keeps in one matrix (w_qkv, w_gate_up) is orthogonalised as one.
    """

    kind: ClassVar[str] = "muon"

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters, chosen=lambda spec: not is_hidden_matrix(spec))
        hidden = [spec.name for spec in parameters.specs if is_hidden_matrix(spec)]
        flats = (parameters.values, parameters.grads, self.state["m"])
        values, grads, m = (dict(parameters.views(flat)) for flat in flats)
        self._scratch = Scratch(parameters.values.dtype)
        matrices = [_Matrix(values[name], grads[name], m[name], self._scratch) for name in hidden]
        self._matrices = sorted(matrices, key=lambda matrix: matrix.p.size)

    def step(self, config: TrainConfig, lr: float, helpers: Sequence[Helper] = ()) -> None:
        """Update the values from the gradients, which are spent: they hold something else afterwards."""
        n = 1 + len(helpers)
        shares = [self._matrices[first::n] for first in range(n)]  # of about the same size
        for helper, share in zip(helpers, shares[1:], strict=True):
            helper.begin(orthogonalise_, (matrix.momentum(config) for matrix in share))
        super().step(config, lr)
        lr *= config.hidden_lr
        for matrix in shares[0]:
            x = matrix.momentum(config)
            orthogonalise_(x, self._scratch)
            matrix.step(x, config, lr)
        for helper, share in zip(helpers, shares[1:], strict=True):
            for matrix, x in zip(share, helper.end(), strict=True):
                matrix.step(x, config, lr)


class _Matrix:
    """Views of a hidden matrix, its gradient and its momentum."""

    def __init__(self, p: Floats, g: Floats, m: Floats, scratch: Scratch) -> None:
        self.p, self.g, self.m = p, g, m
        self.length = RMS * max(p.shape) ** 0.5
        self._scratch = scratch

    def momentum(self, config: TrainConfig) -> Floats:
        """m = momentum * m + g; return g + momentum * m."""
        x = self._scratch("x", *self.m.shape)
        self.m *= config.momentum
        self.m += self.g
        np.multiply(self.m, config.momentum, out=x)
        x += self.g
        return x

    def step(self, x: Floats, config: TrainConfig, lr: float) -> None:
        """p -= lr * length * x for the orthogonal x, and p decays as in AdamW.

        The root mean square of U V^T is 1 / sqrt(max(rows, columns)); times `length` it is AdamW's.
        """
        x *= lr * self.length
        self.p *= 1 - lr * config.weight_decay
        self.p -= x


def orthogonalise_(x: Floats, scratch: Scratch) -> None:
    """Turn x = U S V^T of shape (rows, columns) into nearly U V^T, in place.

    Newton-Schulz: x = a x + b (x x^T) x + c (x x^T)^2 x makes a s + b s^3 + c s^5 of every singular value s
    and leaves U and V alone. No s may be above 1, hence the norm first.
    """
    x *= 1 / max(float(np.linalg.norm(x)), EPS)
    wide, spare = x, scratch("spare", *x.shape)
    if x.shape[0] > x.shape[1]:
        wide, spare = wide.T, spare.T
    r = len(wide)
    gram, square = scratch("gram", r, r), scratch("square", r, r)
    diagonal = gram.reshape(-1)[:: r + 1]
    for _ in range(ITERATIONS):
        np.matmul(wide, wide.T, out=gram)
        np.matmul(gram, gram.T, out=square)  # its own transpose; written so, BLAS computes but one half
        square *= C
        gram *= B
        gram += square
        diagonal += A
        np.matmul(gram, wide, out=spare)
        wide, spare = spare, wide
    if ITERATIONS % 2:
        spare[...] = wide
