"""`tinychat chat` where a human types: labels, Ctrl+C, and lines that are answered at once."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_runs import ANSWERS, Call, command, environment

from tinychat.training.events import LessonChecked
from tinychat.training.teaching import Lesson

not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX")


class Typed(io.TextIOWrapper):
    """Standard input that a human would type."""

    def isatty(self) -> bool:
        return True


class Impatient(io.StringIO):
    """Standard output at which a human presses Ctrl+C once a certain piece is there."""

    def __init__(self, piece: str) -> None:
        super().__init__()
        self._piece = piece

    def write(self, text: str) -> int:
        written = super().write(text)
        if text == self._piece:
            self._piece = "\0"
            raise KeyboardInterrupt
        return written


def test_control_c_stops_an_answer_that_may_go_on(
    call: Call, learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = b"What falls?\n/export one.jsonl\n/continue\n/export two.jsonl\n/continue\nWho shines?\n"
    monkeypatch.setattr(sys, "stdin", Typed(io.BytesIO(given)))
    stdout = Impatient("Rain")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        done = call("chat", "--load", learned)
    assert done.code == 0
    assert stdout.getvalue() == "Model: Rain\nModel:  falls.\nModel: The sun.\n"
    notes = done.err.replace("You: ", "").splitlines()
    assert notes[1:] == [
        "",
        "tinychat: stopped; /continue goes on",
        "tinychat: written to one.jsonl",
        "tinychat: written to two.jsonl",
        "tinychat: no answer was stopped; /regenerate answers once more",
    ]
    kept = [json.loads(Path(f"{name}.jsonl").read_text(encoding="utf-8")) for name in ("one", "two")]
    assert [[message["content"] for message in each["messages"]] for each in kept] == [
        ["What falls?", "Rain"],
        ["What falls?", "Rain falls."],
    ]


def test_control_c_gives_up_a_lesson_and_the_conversation_goes_on(
    call: Call, learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(lesson: Lesson) -> Iterator[LessonChecked]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Lesson, "run", interrupted)
    given = b"What falls?\n/teach Leaves.\nWhat falls?\n/undo\n"
    monkeypatch.setattr(sys, "stdin", Typed(io.BytesIO(given)))
    done = call("chat", "--load", learned)
    assert done.code == 0
    assert done.out == 2 * "Model: Rain falls.\n"
    notes = done.err.replace("You: ", "").splitlines()
    assert notes[1:3] == ["", "tinychat: not learnt: given up"]
    assert "nothing was taught" in notes[3]
    assert len(notes) == 4
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    assert call("chat", "--load", learned).code == 130


@pytest.fixture
def terminal(learned: Path) -> Any:
    """`terminal(*flags)` -> the program at a terminal, where a test types and reads."""
    pexpect = pytest.importorskip("pexpect")
    children = []

    def start(*flags: str, path: Path = learned) -> Any:
        program, *arguments = command("chat", "--load", path, *flags)
        env = environment(TERM="dumb", INPUTRC="/dev/null")
        child = pexpect.spawn(program, arguments, env=env, encoding="utf-8", timeout=30, echo=False)
        children.append(child)
        return child

    yield start
    for child in children:
        child.close(force=True)


@not_on_windows
def test_at_a_terminal_there_are_labels(terminal: Any) -> None:
    child = terminal()
    child.expect_exact("/help lists the commands, Ctrl+D leaves")
    child.expect_exact("You: ")
    child.sendline("What falls?")
    child.expect_exact("Model: Rain falls.\r\n")
    child.expect_exact("You: ")
    child.sendline("/nonsense")
    child.expect_exact("no command is called '/nonsense'")
    child.expect_exact("You: ")
    child.sendintr()
    child.expect_exact("/quit or Ctrl+D leaves")
    child.expect_exact("You: ")
    child.sendeof()
    child.expect(r"\r\n$")
    child.wait()
    assert child.exitstatus == 0


@not_on_windows
def test_a_writer_says_so_at_a_terminal(terminal: Any, writer: Path) -> None:
    child = terminal(path=writer)
    child.expect_exact("it writes on where you stop")
    child.expect_exact("You: ")
    child.sendline("/quit")
    child.wait()
    assert child.exitstatus == 0


def test_a_line_of_a_pipe_is_answered_before_the_next_is_there(learned: Path) -> None:
    with subprocess.Popen(
        command("chat", "--load", learned), env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for question, answer in ANSWERS.items():
            process.stdin.write(f"{question}\n".encode())
            process.stdin.flush()
            assert process.stdout.readline().decode().strip() == answer
        process.stdin.close()
        assert process.wait(30) == 0
