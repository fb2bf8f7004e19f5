"""Sampling: the next token is drawn, from a distribution that may be made sharper, flatter or shorter.

Every filter maps logits of shape (V,) to logits of that shape; a token that it leaves out gets -inf.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from tinychat.core.parameters import Floats
from tinychat.core.softmax import softmax_
from tinychat.errors import ConfigError
from tinychat.generation.greedy import likeliest


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen: unless told otherwise, the likeliest.

    Raises ConfigError for values that make no sense, or that would have no effect.
    """

    temperature: float = 0.0
    """1: as the model has it; below: surer; above: more even; 0: always the likeliest token."""
    top_k: int = 0
    """Draw among so many of the likeliest; 0: among all."""
    top_p: float = 1.0
    """Draw among the fewest that together have this probability; 1: among all."""
    min_p: float = 0.0
    """Draw among those that have at least this share of the probability of the likeliest; 0: among all."""
    repetition_penalty: float = 1.0
    """How much less likely what was said already becomes; 1: not at all."""
    seed: int = 0
    """Start of all draws."""

    def __post_init__(self) -> None:
        for name in ("top_k", "seed"):
            value = getattr(self, name)
            if type(value) is not int or value < 0:
                raise ConfigError(f"{name} must be a whole number of at least 0, not {value!r}")
        for name, low, high, wanted in (
            ("temperature", 0, inf, "at least 0"),
            ("top_p", 0, 1, "above 0 and at most 1"),
            ("min_p", 0, 1, "at least 0 and at most 1"),
            ("repetition_penalty", 1e-6, 1e6, "above 0, from 1e-6 to 1e6"),
        ):
            value = getattr(self, name)
            is_number = type(value) in (int, float) and low <= value <= high and value != inf
            if not is_number or (value == 0 and wanted.startswith("above")):
                raise ConfigError(f"{name} must be a number {wanted}, not {value!r}")
        if self.temperature == 0 and (self.top_k, self.top_p, self.min_p) != (0, 1, 0):
            raise ConfigError(
                "top_k, top_p and min_p narrow down what is drawn, and at temperature 0 nothing is; "
                "give a temperature too, for example 0.8"
            )


GREEDY = Sampling()


def distribution(logits: Floats, sampling: Sampling, earlier_ids: Sequence[int] = ()) -> Floats:
    """Probabilities of the next token, ndarray of shape (V,) and float64, from logits of shape (V,).

    `earlier_ids` is what the model has said so far. At temperature 0 the likeliest token has probability 1.
    """
    logits = penalise(np.asarray(logits, np.float64), earlier_ids, sampling.repetition_penalty)
    if sampling.temperature == 0:
        certain = np.zeros_like(logits)
        certain[likeliest(logits)] = 1
        return certain
    logits = temper(logits, sampling.temperature)
    logits = keep_top_k(logits, sampling.top_k)
    logits = keep_top_p(logits, sampling.top_p)
    return softmax_(keep_min_p(logits, sampling.min_p).copy())


def draw(logits: Floats, sampling: Sampling, earlier_ids: Sequence[int], rng: np.random.Generator) -> int:
    """A token from that distribution, by one number from `rng`, or by none at temperature 0."""
    if sampling.temperature == 0:
        return likeliest(penalise(logits, earlier_ids, sampling.repetition_penalty))
    sums = distribution(logits, sampling, earlier_ids).cumsum()
    return int(np.searchsorted(sums[:-1], rng.random() * sums[-1], side="right"))


def penalise(logits: Floats, earlier_ids: Sequence[int], penalty: float) -> Floats:
    """Logits of tokens that were said are divided by `penalty` (Keskar et al. 2019, section 4.1).

    A negative one, which that would raise, is multiplied by it, as other programs do too.
    """
    if penalty == 1 or not earlier_ids:
        return logits
    said = np.unique(earlier_ids)
    penalised = logits.copy()
    penalised[said] = np.where(logits[said] > 0, logits[said] / penalty, logits[said] * penalty)
    return penalised


def temper(logits: Floats, temperature: float) -> Floats:
    """Differences between logits are divided by `temperature` (Holtzman et al. 2020); the highest becomes 0.

    The word is that of Ackley et al. 1985, who divided so the energies between the two states of a unit.
    """
    with np.errstate(over="ignore"):  # -inf is what a very small temperature makes of all but the highest
        cooled: Floats = (logits - logits.max()) / temperature
    return cooled


def keep_top_k(logits: Floats, k: int) -> Floats:
    """Only the `k` likeliest, or all if it is 0 (Fan et al. 2018). Of equal ones the first."""
    return logits if k == 0 else _only(logits, _by_falling_probability(logits)[:k])


def keep_top_p(logits: Floats, p: float) -> Floats:
    """Only the fewest likeliest that together have probability `p` (Holtzman et al. 2020, section 3.1)."""
    if p == 1:
        return logits
    order = _by_falling_probability(logits)
    falling = softmax_(logits[order])
    return _only(logits, order[falling.cumsum() - falling < p])


def keep_min_p(logits: Floats, p: float) -> Floats:
    """Only those at least `p` times as likely as the likeliest (Nguyen et al. 2024)."""
    return logits if p == 0 else _only(logits, np.flatnonzero(logits >= logits.max() + log(p)))


def _by_falling_probability(logits: Floats) -> NDArray[np.intp]:
    return np.argsort(-logits, kind="stable")


def _only(logits: Floats, kept: NDArray[np.intp]) -> Floats:
    rest = np.full_like(logits, -inf)
    rest[kept] = logits[kept]
    return rest
