"""Signals as a flag that is looked at between two updates, when the weights are whole."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted:
    """True once a signal has come."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextmanager
def interrupts() -> Iterator[Interrupted]:
    """Within the block the first interrupt only sets the flag; a second one interrupts at once."""
    flag = Interrupted()

    def note(number: int, frame: FrameType | None) -> None:
        if flag:
            raise KeyboardInterrupt
        flag.signal = number

    # What is ignored, as a hang-up under nohup, stays ignored.
    heeded = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, note) for number in heeded}
    try:
        yield flag
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
