"""Training that is interrupted: exit code 130, and a file from which it goes on to the same bits."""

import io
import json
import os
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_runs import Outcome, bits, command, environment, epochs_of

from tinychat.commands.interrupts import interrupts

Call = Callable[..., Outcome]
SIGNALS = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def caught() -> Iterator[list[int]]:
    """Signals that nobody else took; without this, a mistake would end the whole test run."""
    found: list[int] = []
    numbers = [getattr(signal, name) for name in SIGNALS]
    before = {number: signal.signal(number, lambda number, _: found.append(number)) for number in numbers}
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


# The flag


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_sets_the_flag(name: str, caught: list[int]) -> None:
    number = getattr(signal, name)
    with interrupts() as flag:
        assert not flag
        signal.raise_signal(number)
        assert flag
        assert flag.signal == number
    assert caught == []


@pytest.mark.parametrize("name", SIGNALS)
def test_a_second_signal_does_not_wait(name: str, caught: list[int]) -> None:
    with interrupts():
        signal.raise_signal(getattr(signal, name))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert caught == []


@pytest.mark.parametrize("name", SIGNALS)
def test_afterwards_the_signals_are_whose_they_were(name: str, caught: list[int]) -> None:
    with interrupts():
        pass
    with pytest.raises(ZeroDivisionError), interrupts():
        raise ZeroDivisionError
    signal.raise_signal(getattr(signal, name))
    assert caught == [getattr(signal, name)]


# In this process: an interrupt at a given event

EPOCHS = ("--pretrain-epochs", "2", "--tune-epochs", "2", "--seed", "5")


class InterruptAfter(io.TextIOWrapper):
    """Standard output that raises SIGINT, once or more, when a line of the given number was written to it."""

    def __init__(self, line: int, times: int = 1) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding="utf-8", write_through=True)
        self._line, self._times = line, times

    def write(self, text: str) -> int:
        written = super().write(text)
        if text.endswith("\n") and len(self.lines) == self._line:
            for _ in range(self._times):
                signal.raise_signal(signal.SIGINT)
        return written

    @property
    def lines(self) -> list[bytes]:
        return self.bytes.getvalue().splitlines()


@pytest.fixture(scope="module")
def whole(kept_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The bits of a run that nobody interrupted, and its events."""
    out = tmp_path_factory.mktemp("whole") / "whole.npz"
    run = command("train", "--corpus", kept_corpus, *EPOCHS, "--out", out, "--json")
    done = subprocess.run(run, env=environment(), capture_output=True, check=True)
    return bits(out), [json.loads(line)["event"] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("line", [1, 3, 4, 8, 9, 12])
@pytest.mark.usefixtures("caught")
def test_interrupted_at_any_event_it_goes_on_to_the_same_bits(
    call: Call, kept_corpus: Path, whole: Any, line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, events = whole
    assert line < len(events) - 2, "behind the last update there is nothing to interrupt"
    stdout = InterruptAfter(line)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        done = call("train", "--corpus", kept_corpus, *EPOCHS, "--out", "m.npz", "--json")
    assert done.code == 130
    told = [json.loads(text)["event"] for text in stdout.lines]
    assert told == events[:line]
    assert done.err.startswith("tinychat: interrupted after ")
    assert done.err.count("\n") == 1
    assert done.err.endswith("tinychat train --resume m.npz\n")
    assert sum(epochs_of(Path("m.npz")).values()) == told.count("epoch_done")
    assert bits(Path("m.npz")) != wanted
    assert call("train", "--resume", "m.npz").code == 0
    assert bits(Path("m.npz")) == wanted


@pytest.mark.usefixtures("caught")
def test_interrupted_again_and_again(
    call: Call, kept_corpus: Path, whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments: tuple[Any, ...] = ("--corpus", kept_corpus, *EPOCHS, "--out", "m.npz")
    done = []
    for line in (3, 3, 6, 5):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", InterruptAfter(line))
            assert call("train", *arguments, "--json").code == 130
        arguments = ("--resume", "m.npz")
        done.append(sum(epochs_of(Path("m.npz")).values()))
    assert done == [1, 2, 3, 4]
    assert call("train", *arguments).code == 0
    assert bits(Path("m.npz")) == whole[0]


@pytest.mark.usefixtures("caught")
def test_two_interrupts_at_once(call: Call, kept_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one does not wait for the end of an update; the file is the last that was written."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", InterruptAfter(4, times=2))
        done = call("train", "--corpus", kept_corpus, *EPOCHS, "--out", "m.npz", "--json")
    assert (done.code, done.err) == (130, "tinychat: interrupted\n")
    assert epochs_of(Path("m.npz")) == {"pretrain": 1, "tune": 0}
    assert not list(Path().glob("*.tmp"))


@pytest.mark.usefixtures("caught")
def test_the_command_to_go_on_with_can_be_pasted(
    call: Call, kept_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", InterruptAfter(4))
        done = call("train", "--corpus", kept_corpus, *EPOCHS, "--out", "my first model.npz", "--json")
    program, *arguments = shlex.split(done.err.rpartition("go on with: ")[2])
    assert program == "tinychat"
    assert call(*arguments).code == 0


# In a process of its own, at any moment

LONG = ("--pretrain-epochs", "15", "--tune-epochs", "15", "--seed", "5")


@pytest.fixture(scope="module")
def long_whole(kept_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("whole") / "whole.npz"
    run = command("train", "--corpus", kept_corpus, *LONG, "--out", out)
    subprocess.run(run, env=environment(), capture_output=True, check=True)
    return bits(out)


@not_on_windows
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_from_outside(kept_corpus: Path, long_whole: dict[str, Any], name: str) -> None:
    run = command("train", "--corpus", kept_corpus, *LONG, "--out", "m.npz", "--json")
    # What it writes does not fit into the pipe: it cannot finish before it is read to the end.
    with (
        Path("err.txt").open("wb") as err,
        subprocess.Popen(
            run, env=environment(), stdout=subprocess.PIPE, stderr=err, pipesize=4096
        ) as process,
    ):
        assert process.stdout is not None
        names = []
        while names.count("epoch_done") < 3:
            names.append(json.loads(process.stdout.readline())["event"])
        process.send_signal(getattr(signal, name))
        names += [json.loads(line)["event"] for line in process.stdout]
        assert process.wait(60) == 130
    told = Path("err.txt").read_text(encoding="utf-8")
    assert told.count("\n") == 1
    assert "--resume m.npz" in told
    assert "finished" not in names
    assert not list(Path().glob(".*.tmp"))
    assert sum(epochs_of(Path("m.npz")).values()) < 30
    subprocess.run(command("train", "--resume", "m.npz"), env=environment(), capture_output=True, check=True)
    assert bits(Path("m.npz")) == long_whole


@not_on_windows
@pytest.mark.parametrize("workers", [1, 2])
def test_control_c_at_a_terminal(kept_corpus: Path, workers: int) -> None:
    """Other processes that take part are no concern of the user's."""
    pexpect = pytest.importorskip("pexpect")
    recipe = ("--pretrain-epochs=9999", f"--workers={workers}", "--batch-size=2")
    program, *arguments = command("train", "--corpus", kept_corpus, *recipe, "--out", "m.npz")
    Path("work").mkdir()
    env = environment(TERM="xterm", TMPDIR=str(Path("work").absolute()))
    child = pexpect.spawn(program, arguments, env=env, encoding="utf-8", timeout=60)
    child.expect("loss .* left")
    child.sendintr()
    child.expect("tinychat: interrupted after [0-9]+ epochs?; go on with: tinychat train --resume m.npz")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 130
    assert "Traceback" not in child.before
    assert not list(Path("work").iterdir())
    assert 0 < sum(epochs_of(Path("m.npz")).values()) < 9999


@not_on_windows
def test_a_kill_loses_at_most_what_came_after_the_last_checkpoint(kept_corpus: Path) -> None:
    run = command("train", "--corpus", kept_corpus, *LONG, "--out", "m.npz", "--json")
    with subprocess.Popen(run, env=environment(), stdout=subprocess.PIPE, pipesize=4096) as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["event"] != "checkpoint_saved":
            pass
        os.kill(process.pid, signal.SIGKILL)
    assert epochs_of(Path("m.npz")) == {"pretrain": 1, "tune": 0}


@not_on_windows
def test_control_c_while_asking(learned: Path) -> None:
    with subprocess.Popen(
        command("ask", "--load", learned),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"What falls?\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], 60)
        assert ready, "the answer must come before the input ends"
        assert process.stdout.readline() == b"Rain falls.\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"tinychat: interrupted\n")
