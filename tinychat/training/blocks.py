"""The flat parameter vector in blocks short enough to stay in the cache from one operation to the next."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, groupby

from tinychat.core.parameters import Floats, Parameters, ParameterSpec

BLOCK = 1 << 16
"""Elements that are updated at a time."""


def is_matrix(spec: ParameterSpec) -> bool:
    """Whether weight decay is for it: gains and biases are left where they are."""
    return len(spec.shape) >= 2


@dataclass(frozen=True)
class Block:
    """A part of the vector, and the views of what in it belongs to matrices."""

    place: slice
    matrices: tuple[Floats, ...]
    stage: int
    """Who reads it: 0 is the embedding, then come the blocks of the transformer, at last its output."""

    def decay(self, share: float) -> None:
        """Take `share` of every weight in a matrix away (Loshchilov & Hutter 2019, algorithm 2, line 12)."""
        if share:
            for weights in self.matrices:
                weights *= 1 - share


def runs(parameters: Parameters, chosen: Callable[[ParameterSpec], bool]) -> list[slice]:
    """Places of the chosen parameters in the flat vector, neighbours put together."""
    found, start = [], 0
    for is_chosen, specs in groupby(parameters.specs, key=chosen):
        stop = start + sum(spec.size for spec in specs)
        if is_chosen:
            found.append(slice(start, stop))
        start = stop
    return found


def blocks(parameters: Parameters, chosen: Callable[[ParameterSpec], bool] = lambda _: True) -> list[Block]:
    """All of the chosen parameters, in order, none of two stages."""
    matrices = runs(parameters, is_matrix)
    found, start = [], 0
    wanted = runs(parameters, chosen)
    for stage, (_, specs) in enumerate(groupby(parameters.specs, key=_number)):
        stop = start + sum(spec.size for spec in specs)
        both = (pieces(max(start, run.start), min(stop, run.stop)) for run in wanted)
        found += [
            Block(place, tuple(_parts(parameters.values, place, matrices)), stage) for place in chain(*both)
        ]
        start = stop
    return found


def longest(blocks: list[Block]) -> int:
    """Elements of the longest block."""
    return max((block.place.stop - block.place.start for block in blocks), default=0)


def pieces(start: int, stop: int) -> list[slice]:
    """From `start` to `stop` in pieces of at most BLOCK elements."""
    return [slice(begin, min(begin + BLOCK, stop)) for begin in range(start, stop, BLOCK)]


def halves(n: int) -> tuple[slice, slice]:
    """Of a vector of n elements."""
    return slice(n // 2), slice(n // 2, n)


def _number(spec: ParameterSpec) -> str:
    """Of the transformer's block that has the parameter; of those before and after, none has one."""
    return next(filter(str.isdigit, spec.name.split(".")), "")


def _parts(values: Floats, place: slice, others: list[slice]) -> list[Floats]:
    """Views of what `place` has in common with each of `others`."""
    both = ((max(place.start, other.start), min(place.stop, other.stop)) for other in others)
    return [values[start:stop] for start, stop in both if start < stop]
