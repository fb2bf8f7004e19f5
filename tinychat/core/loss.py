"""Softmax cross-entropy: how surprised the model is by the token that really comes next, in nats."""

from dataclasses import dataclass

import numpy as np

from tinychat.config import IGNORE
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
        rows = logits.reshape(B * T, V)
        flat_targets = targets.reshape(B * T)
        counted = flat_targets != IGNORE
        places = np.arange(B * T)
        chosen = np.where(counted, flat_targets, 0)
        highest = rows.argmax(axis=1)

        p = self._scratch("p", B, T, V)
        flat = p.reshape(B * T, V)
        peak = rows[places, highest]
        np.subtract(rows, peak[:, None], out=flat)
        target_score = flat[places, chosen]  # a copy, read before exp overwrites it
        np.exp(flat, out=flat)
        z = flat @ np.ones(V, flat.dtype)
        flat /= z[:, None]
        surprise = np.log(z) - target_score
        self.p, self.places, self.chosen, self.counted = p, places, chosen, counted
        self.n_counted = int(counted.sum())
        return Loss(
            total=float(surprise[counted].sum(dtype=np.float64)),
            tokens=self.n_counted,
            correct=int((highest == flat_targets)[counted].sum()),
        )

    def backward(self) -> Floats:
        """Gradient of the mean loss by the logits, of shape (B, T, V).

        loss = log sum exp(logits) - logits[target], so dlogits = softmax(logits) - onehot(target),
        divided by the number of places that count; 0 at the others.
        """
        dlogits = self.p  # nobody reads the probabilities again
        flat = dlogits.reshape(len(self.places), -1)
        flat[self.places, self.chosen] -= 1
        flat *= (self.counted / max(self.n_counted, 1)).astype(flat.dtype)[:, None]
        return dlogits
