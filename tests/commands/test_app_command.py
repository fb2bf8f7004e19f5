"""`tinychat` itself, as far as it refuses: the screen has its own tests."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_runs import Outcome, assert_refused, command, environment, spawn

Call = Callable[..., Outcome]
not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX")
TRAINING_FLAGS = [
    ("--corpus", "basics"),
    ("--preset", "classic"),
    ("--seed", "0"),
    ("--pretrain-epochs", "1"),
    ("--tune-epochs", "1"),
    ("--resume", "m.npz"),
]


@pytest.mark.parametrize(
    ("arguments", "source"), [((), "nothing"), (("--seed", "3"), "pipe"), (("--load", "m.npz"), "nothing")]
)
def test_without_a_terminal_it_refuses(arguments: tuple[str, ...], source: str) -> None:
    given: dict[str, Any] = {"input": b"hello\n"} if source == "pipe" else {"stdin": subprocess.DEVNULL}
    assert_refused(spawn(*arguments, **given), 2, "terminal", "tinychat train", "tinychat ask")
    assert list(Path().iterdir()) == []


@not_on_windows
def test_without_standard_input_it_refuses() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" <&-', "sh", *command()], env=environment(), capture_output=True, text=True
    )
    assert_refused(Outcome(done.returncode, done.stdout, done.stderr), 2, "terminal")


@pytest.mark.parametrize("flag", TRAINING_FLAGS, ids=lambda flag: flag[0])
def test_load_and_training_exclude_each_other(call: Call, flag: tuple[str, str]) -> None:
    assert_refused(call("--load", "m.npz", *flag), 2, "--load", flag[0])
    assert_refused(call(*flag, "--load", "m.npz"), 2, "--load", flag[0])


def at_a_terminal(*arguments: str | Path, redirected: str = "") -> Outcome:
    """Run the program with a terminal in place of all three standard streams; `out` is what it shows."""
    pexpect = pytest.importorskip("pexpect")
    line = f'exec "$@" {redirected}'
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", line, "sh", *command(*arguments)],
        env=environment(TERM="xterm"),
        encoding="utf-8",
        timeout=60,
    )
    child.expect(pexpect.EOF)
    child.wait()
    return Outcome(child.exitstatus, child.before.replace("\r\n", "\n"), "")


def assert_refused_before_the_screen_opens(shown: Outcome, code: int, *parts: str) -> None:
    assert "\x1b" not in shown.out
    assert_refused(Outcome(shown.code, "", shown.out), code, *parts)


def assert_refused_when_the_screen_is_left(shown: Outcome, code: int, *parts: str) -> None:
    _, left, told = shown.out.rpartition("\x1b[?1049l")
    assert left, "the screen was not left"
    assert_refused(Outcome(shown.code, "", re.sub(r"\x1b\[[?<>=]?[\d;]*[a-zA-Z]", "", told)), code, *parts)


@not_on_windows
@pytest.mark.parametrize("name", ["latest", "missing"])
def test_weights_that_are_not_there(name: str) -> None:
    shown = at_a_terminal("--load", name, "--data-dir", "data")
    assert_refused_before_the_screen_opens(shown, 2, name)


@not_on_windows
@pytest.mark.parametrize(
    "arguments", [("--load", "text.npz"), ("--resume", "text.npz"), ("--corpus", "empty.txt")]
)
def test_files_that_only_reading_shows_to_be_wrong(arguments: tuple[str, str]) -> None:
    Path("text.npz").write_text("no weights")
    Path("empty.txt").write_text("")
    shown = at_a_terminal(*arguments, "--data-dir", "data")
    assert_refused_when_the_screen_is_left(shown, 2, arguments[1])
    assert not list(Path("data/models").iterdir())


@not_on_windows
@pytest.mark.parametrize("arguments", [("--load", "MODEL"), ()], ids=["chat", "train"])
def test_a_data_directory_that_cannot_be_written(
    arguments: tuple[str, ...], nowhere: Path, learned: Path
) -> None:
    given = [str(learned) if word == "MODEL" else word for word in arguments]
    shown = at_a_terminal(*given, "--data-dir", nowhere)
    assert_refused_before_the_screen_opens(shown, 1, str(nowhere), "--data-dir")


@not_on_windows
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--corpus", "missing.txt"), "missing.txt"),
        (("--resume", "missing.npz"), "missing.npz"),
        (("--resume", "missing.npz", "--seed", "1"), "--seed"),
        (("--n-heads", "5"), "n_heads"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_input_at_a_terminal(arguments: tuple[str, ...], part: str) -> None:
    shown = at_a_terminal(*arguments, "--data-dir", "data")
    assert_refused_before_the_screen_opens(shown, 2, part)


@not_on_windows
def test_a_stderr_that_is_no_terminal() -> None:
    """That is what the screen is drawn on."""
    shown = at_a_terminal("--data-dir", "data", redirected="2>err.txt")
    told = Path("err.txt").read_text(encoding="utf-8")
    assert_refused(Outcome(shown.code, shown.out, told), 2, "terminal")


@not_on_windows
def test_a_stdin_that_is_no_terminal() -> None:
    """That is where the keys come from; waiting for them would never end."""
    shown = at_a_terminal("--data-dir", "data", redirected="</dev/null")
    assert_refused_before_the_screen_opens(shown, 2, "terminal", "tinychat train")
