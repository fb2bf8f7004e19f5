"""Softmax cross-entropy: how surprised the model is by the token that really comes next, in nats."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tinychat.core.parameters import Floats, Ids
from tinychat.core.scratch import Scratch


@dataclass(frozen=True, slots=True)
class Loss:
    """Sums over the places that count; `total / tokens` is the loss a token."""

    total: float
    """Nats."""
    tokens: int
    correct: int
    """Places at which the true next token had the highest logit."""

    @classmethod
    def sum(cls, losses: "Iterable[Loss]") -> "Loss":
        losses = list(losses)
        return cls(
            sum(loss.total for loss in losses),
            sum(loss.tokens for loss in losses),
            sum(loss.correct for loss in losses),
        )

    @property
    def mean(self) -> float:
        return self.total / self.tokens if self.tokens else 0.0


class CrossEntropy:
    """loss = mean over places of -log softmax(logits)[target], places with target IGNORE left out."""

    def __init__(self, dtype: np.dtype[np.floating]) -> None:
        self._scratch = Scratch(dtype)

    def forward(self, logits: Floats, targets: Ids) -> Loss:
        """Logits of shape (B, T, V) and targets of shape (B, T) -> sums over the places that count."""
        B, T, V = logits.shape
        rows, flat_targets = logits.reshape(B * T, V), targets.reshape(B * T)
        places = np.arange(B * T)
        counted = flat_targets >= 0  # IGNORE is negative
        chosen = np.maximum(flat_targets, 0)
        highest = rows.argmax(axis=1)

        exp = self._scratch("exp", B * T, V)
        np.subtract(rows, rows[places, highest][:, None], out=exp)  # no exponent above 0: no overflow
        target_score = exp[places, chosen]
        np.exp(exp, out=exp)
        z = exp @ self._scratch.ones(V)
        surprise = np.log(z) - target_score
        tokens = int(np.count_nonzero(counted))
        self.shape, self.exp, self.z, self.places, self.chosen = logits.shape, exp, z, places, chosen
        self.share = counted.astype(exp.dtype) / max(tokens, 1)  # (B T,): weight of a place in the mean
        return Loss(
            total=float(np.dot(surprise, counted)),
            tokens=tokens,
            correct=int(np.count_nonzero(highest == flat_targets)),
        )

    def backward(self, wanted: Floats | None = None) -> Floats:
        """Gradient of the mean loss by the logits, of shape (B, T, V).

        loss = log z - logits[target] with z = sum exp(logits), so
        dlogits = (exp(logits) / z - onehot(target)) * share; share is 0 where the target is IGNORE.
        With `wanted`, of shape (B T, V), which is overwritten, the loss is log z - sum wanted logits, and
        those probabilities stand where onehot(target) does.
        """
        dlogits = self.exp  # nobody reads the exponentials again
        dlogits *= (self.share / self.z)[:, None]
        if wanted is None:
            dlogits[self.places, self.chosen] -= self.share
        else:
            wanted *= self.share[:, None]
            dlogits -= wanted
        return dlogits.reshape(self.shape)
