"""The real program in a pseudo-terminal: from the first frame to an answer, and the terminal as it was."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

pexpect = pytest.importorskip("pexpect", reason="pseudo-terminals need a POSIX system")
pyte = pytest.importorskip("pyte")
termios = pytest.importorskip("termios")

LEAVE_ALTERNATE_SCREEN, SHOW_CURSOR = b"\x1b[?1049l", b"\x1b[?25h"
STOP_MOUSE = b"\x1b[?1003l"


def _heed_signals() -> None:
    """As in a terminal, also where these tests run under nohup."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """A terminal of 80x24 with a program in it, and what it shows."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        environment = {**os.environ, "TERM": "xterm-256color", "HOME": str(folder), "COLORTERM": "truecolor"}
        self.program = pexpect.spawn(
            sys.executable,
            ["-m", "tinychat", *arguments],
            dimensions=(24, 80),
            env={k: v for k, v in environment.items() if k not in ("NO_COLOR", "COLUMNS", "LINES", "CI")},
            timeout=60,
            preexec_fn=_heed_signals,
        )
        self.settings = termios.tcgetattr(self.program.child_fd)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def read(self, seconds: float = 0.05) -> None:
        try:
            data = self.program.read_nonblocking(65536, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.written += data
        self._stream.feed(data)

    def wait_for(self, text: str, seconds: float = 60) -> None:
        end = monotonic() + seconds
        while text not in self.text:
            self.read()
            assert monotonic() < end, f"{text!r} did not appear in:\n{self.text}"

    def wait_for_exit(self, seconds: float) -> int:
        end = monotonic() + seconds
        while self.program.isalive():
            self.read()
            assert monotonic() < end, f"it did not exit:\n{self.text}"
        self.read()
        code = self.program.exitstatus
        assert code is not None, f"killed by signal {self.program.signalstatus}"
        return int(code)

    def assert_restored(self) -> None:
        assert termios.tcgetattr(self.program.child_fd) == self.settings
        for sequence in (LEAVE_ALTERNATE_SCREEN, SHOW_CURSOR, STOP_MOUSE):
            assert sequence in self.written


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Small enough to be learnt in a few seconds."""
    pairs = {"What is rain?": "Rain is water.", "What is snow?": "Snow is ice.", "Hello!": "Hello!"}
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"user": u, "assistant": a} for u, a in pairs.items()]))
    return path


@pytest.fixture
def start(corpus: Path, tmp_path: Path) -> Iterator[object]:
    terminals = []

    def begin(*arguments: str) -> Terminal:
        terminal = Terminal(
            [*arguments, "--corpus", str(corpus), "--data-dir", str(tmp_path / "data")], tmp_path
        )
        terminals.append(terminal)
        return terminal

    yield begin
    for terminal in terminals:
        terminal.program.close(force=True)


def test_from_the_first_frame_to_an_answer(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    terminal = start("--tune-epochs", "60")
    terminal.wait_for("Instruction tuning")
    terminal.wait_for("Ask something")
    terminal.program.send("What is snow?\r")
    terminal.wait_for("Snow is ice.")
    terminal.program.send("\x11")  # Ctrl+Q
    assert terminal.wait_for_exit(20) == 0
    terminal.assert_restored()
    assert (tmp_path / "data/models/chat-classic-seed0.npz").exists()


def test_quitting_while_it_trains(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    terminal = start("--tune-epochs", "100000")
    terminal.wait_for("accuracy")
    terminal.program.send("q")
    assert terminal.wait_for_exit(20) == 0  # and not when so many epochs are over
    terminal.assert_restored()
    assert (tmp_path / "data/models/chat-classic-seed0.npz").exists()


def test_a_terminal_that_is_closed_while_it_trains(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    terminal = start("--tune-epochs", "100000")
    terminal.wait_for("accuracy")
    terminal.program.ptyproc.fileobj.close()
    end = monotonic() + 20
    while terminal.program.isalive():
        assert monotonic() < end, "it goes on without a terminal"
        sleep(0.05)
    assert (tmp_path / "data/models/chat-classic-seed0.npz").exists()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_while_it_trains(start, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    terminal = start("--tune-epochs", "100000")
    terminal.wait_for("accuracy")
    os.kill(terminal.program.pid, getattr(signal, name))
    assert terminal.wait_for_exit(20) == 130
    terminal.assert_restored()
    assert (tmp_path / "data/models/chat-classic-seed0.npz").exists()
