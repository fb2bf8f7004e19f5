"""A program in a pseudo-terminal, and what it shows: POSIX systems only."""

import os
import sys
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Self

import pexpect
import pyte

_UNSET = ("NO_COLOR", "COLUMNS", "LINES", "CI", "PYTHONDONTWRITEBYTECODE")
"""Variables that would make it another program than users have: by the last, compiled anew at every start."""


class Terminal:
    """`python -m tinychat` with arguments, in a terminal of 100x30. Leaving the `with` block ends it."""

    def __init__(self, arguments: list[str], data_dir: Path) -> None:
        self._screen = pyte.Screen(100, 30)
        self._stream = pyte.ByteStream(self._screen)
        self._unshown = bytearray()
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.started = perf_counter()
        self.program = pexpect.spawn(
            sys.executable,
            ["-m", "tinychat", *arguments, "--data-dir", str(data_dir)],
            dimensions=(30, 100),
            env={name: value for name, value in environment.items() if name not in _UNSET},
        )
        self.program.delaybeforesend = None  # it would wait before every key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.program.close(force=True)

    @property
    def text(self) -> str:
        self._stream.feed(bytes(self._unshown))
        self._unshown.clear()
        return "\n".join(self._screen.display)

    def send(self, keys: str) -> None:
        self.program.send(keys)

    def read(self, seconds: float = 0.002) -> None:
        """What comes within so many seconds, if anything does."""
        try:
            self._unshown += self.program.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return
        except pexpect.EOF:
            raise RuntimeError(f"the program has ended:\n{self.text}") from None

    def wait_for(self, text: str, is_there: bool = True, seconds: float = 600) -> float:
        """Read until the text is on the screen (or is not); the time then."""
        end = perf_counter() + seconds
        while (text in self.text) is not is_there:
            self.read(0.1)  # back as soon as there is something; to look again and again would cost a core
            if perf_counter() > end:
                raise RuntimeError(f"{text!r} did not come or go:\n{self.text}")
        return perf_counter()

    def wait_for_written(self, text: str, seconds: float = 600) -> float:
        """Read until a text was written, in one piece and one style; the time then.

        Nothing is drawn meanwhile: this emulator takes a tenth of a core for that, as it is in Python, and
        would have it from the program that is measured.
        """
        end, wanted, seen = perf_counter() + seconds, text.encode(), 0
        while self._unshown.find(wanted, max(0, seen - len(wanted))) < 0:
            seen = len(self._unshown)
            self.read(0.1)
            if perf_counter() > end:
                raise RuntimeError(f"{text!r} was not written:\n{self.text}")
        return perf_counter()

    def read_for(self, seconds: float) -> None:
        end = perf_counter() + seconds
        while perf_counter() < end:
            self.read(end - perf_counter())
