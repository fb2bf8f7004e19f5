"""What an optimiser sees of the other processes that take part in the training."""

from collections.abc import Callable, Iterable
from typing import Protocol

from tinychat.core.parameters import Floats
from tinychat.core.scratch import Scratch

InPlace = Callable[[Floats, Scratch], None]
"""A function of a module, which changes an array in place; the scratch is for its work arrays."""


class Helper(Protocol):
    """Somebody who changes arrays in place while we do something else."""

    def begin(self, function: InPlace, arrays: Iterable[Floats]) -> None:
        """Copy the arrays and set to work on them, one after the other."""

    def end(self) -> list[Floats]:
        """Wait, and return the changed arrays, valid until the next `begin`."""
