"""Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/): momentum, orthogonalised.

The momentum U S V^T of a matrix has a few large singular values that drown the others. Muon's step is along
U V^T: all directions alike, to the length that AdamW's steps have.
"""

from typing import ClassVar

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters, ParameterSpec
from tinychat.training.adam import AdamW

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
        hidden = {spec.name: spec for spec in parameters.specs if is_hidden_matrix(spec)}
        sizes = [(spec.size, min(spec.shape) ** 2) for spec in hidden.values()]
        longest, squarest = (max(column) for column in zip(*sizes, strict=True)) if sizes else (0, 0)
        # One matrix after the other works in the same memory.
        memory = [np.empty(n, parameters.values.dtype) for n in (longest, longest, squarest, squarest)]
        flats = (parameters.values, parameters.grads, self.state["m"])
        values, grads, m = (dict(parameters.views(flat)) for flat in flats)
        self._matrices = [_Matrix(values[name], grads[name], m[name], memory) for name in hidden]

    def step(self, config: TrainConfig, lr: float) -> None:
        """Update the values from the gradients, which are spent: they hold something else afterwards."""
        super().step(config, lr)
        for matrix in self._matrices:
            matrix.step(config, lr * config.hidden_lr)


class _Matrix:
    """Views of a hidden matrix and of work memory, all on their side if the matrix is higher than wide."""

    def __init__(self, value: Floats, grad: Floats, m: Floats, memory: list[Floats]) -> None:
        """Three of shape (rows, columns); four work vectors, two as long as a matrix and two as its gram."""
        rows, columns = value.shape
        r = min(rows, columns)
        x, spare = (work[: value.size].reshape(value.shape) for work in memory[:2])
        self.wide = [view if rows == r else view.T for view in (value, grad, m, x, spare)]
        self.squares = [work[: r * r].reshape(r, r) for work in memory[2:]]
        self.length = RMS * max(rows, columns) ** 0.5

    def step(self, config: TrainConfig, lr: float) -> None:
        """m = momentum * m + g; p -= lr * length * orthogonal(g + momentum * m), and p decays as in AdamW.

        The root mean square of U V^T is 1 / sqrt(max(rows, columns)); times `length` it is AdamW's.
        """
        p, g, m, x, spare = self.wide
        m *= config.momentum
        m += g
        np.multiply(m, config.momentum, out=x)
        x += g
        update = orthogonalise(x, spare, *self.squares)
        update *= lr * self.length
        p *= 1 - lr * config.weight_decay
        p -= update


def orthogonalise(x: Floats, spare: Floats, gram: Floats, square: Floats) -> Floats:
    """Turn x = U S V^T of shape (r, c), r <= c, into nearly U V^T, in place of `x` or of `spare` like it.

    Newton-Schulz: x = a x + b (x x^T) x + c (x x^T)^2 x makes a s + b s^3 + c s^5 of every singular value s
    and leaves U and V alone. No s may be above 1, hence the norm first. `gram` and `square` are work memory
    of shape (r, r).
    """
    x *= 1 / max(float(np.linalg.norm(x)), EPS)
    diagonal = gram.reshape(-1)[:: len(gram) + 1]
    for _ in range(ITERATIONS):
        np.matmul(x, x.T, out=gram)
        np.matmul(gram, gram.T, out=square)  # its own transpose; written so, BLAS computes but one half
        square *= C
        gram *= B
        gram += square
        diagonal += A
        np.matmul(gram, x, out=spare)
        x, spare = spare, x
    return x
