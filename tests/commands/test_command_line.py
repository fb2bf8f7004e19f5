"""What holds for every command: help, versions, flags, exit codes, and nothing loaded in vain."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from cli_runs import Outcome, assert_refused, command, environment, spawn

from tinychat.cli import main
from tinychat.errors import (
    ConfigError,
    CorpusError,
    LessonError,
    StorageError,
    TerminalError,
    TinychatError,
    TrainingDivergedError,
    UsageError,
    WeightsError,
    WorkerError,
)
from tinychat.presets import PRESETS

Call = Callable[..., Outcome]
COMMANDS = ("train", "ask", "chat", "eval", "info", "corpora", "tokenize")


def test_help_names_every_command_and_flag(call: Call) -> None:
    shown = call("--help")
    assert (shown.code, shown.err) == (0, "")
    flags = (
        *("--corpus", "--preset", "--seed", "--pretrain-epochs", "--tune-epochs"),
        *("--load", "--data-dir", "--version"),
    )
    for word in (*COMMANDS, *flags):
        assert word in shown.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(call: Call, name: str) -> None:
    shown = call(name, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"usage: tinychat {name}")
    assert ("--json" in shown.out) == (name != "chat")  # which is for people


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["train", "--help"], ["--version"], ["--no-such-flag"], ["train", "--seed", "x"]],
    ids=" ".join,
)
def test_what_needs_no_model_loads_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command(*arguments)[1:]],
        env=environment(),
        capture_output=True,
        text=True,
    )
    timed = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    loaded = {line.rpartition("|")[2].strip() for line in timed}
    assert "tinychat.cli" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"numpy", "textual", "rich"}


def test_version(call: Call) -> None:
    assert call("--version") == Outcome(0, f"tinychat {version('tinychat')}\n", "")


def test_the_script_and_the_module_are_the_same_program() -> None:
    script = shutil.which("tinychat", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("the package is not installed beside this Python")
    for arguments in (["--version"], ["--help"], ["corpora", "--json"], ["nonsense"]):
        as_script = subprocess.run([script, *arguments], env=environment(), capture_output=True, text=True)
        as_module = spawn(*arguments)
        assert (as_module.code, as_module.out, as_module.err) == (
            as_script.returncode,
            as_script.stdout,
            as_script.stderr,
        )


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--no-such-flag"], ["--no-such-flag"]),
        (["chatter"], ["chatter", *COMMANDS]),
        (["train", "--out", "m.npz", "--no-such-flag"], ["--no-such-flag"]),
        (["train", "--out"], ["--out"]),
        (["train", "--out", "m.npz", "surplus"], ["surplus"]),
        (["train", "--preset", "nonsense", "--out", "m.npz"], ["nonsense", *PRESETS]),
        (["--preset", "nonsense"], ["nonsense", *PRESETS]),
        (["ask"], ["--load"]),
        (["ask", "What falls?"], ["--load"]),
        (["ask", "--load"], ["--load"]),
        (["eval", "--load", "m.npz"], ["--corpus"]),
        (["info"], ["FILE"]),
        (["info", "--json"], ["FILE"]),
        (["corpora", "basics", "surplus"], ["surplus"]),
    ],
    ids=lambda value: " ".join(value) if value and value[0] in (*COMMANDS, "chatter") else None,
)
def test_wrong_use(call: Call, arguments: list[str], parts: list[str]) -> None:
    assert_refused(call(*arguments), 2, *parts, "--help")


@pytest.mark.parametrize("flag", ["--seed", "--pretrain-epochs", "--tune-epochs"])
@pytest.mark.parametrize("value", ["-1", "x", "1.5", "", "1e3", "nan", "inf", "0x10", "9" * 5000])
@pytest.mark.parametrize("command", [[], ["train", "--out", "m.npz"]], ids=["screen", "train"])
def test_numbers_are_whole_and_not_negative(call: Call, flag: str, value: str, command: list[str]) -> None:
    assert_refused(call(*command, f"{flag}={value}"), 2, flag, "whole number")
    assert not Path("m.npz").exists()


def test_a_line_break_in_an_argument_makes_no_second_line(call: Call) -> None:
    assert_refused(call("corpora", "one\ntwo"), 2)


EXIT_CODES = {
    TinychatError: 1,
    StorageError: 1,
    TrainingDivergedError: 1,
    LessonError: 1,
    WorkerError: 1,
    UsageError: 2,
    ConfigError: 2,
    TerminalError: 2,
    CorpusError: 2,
    WeightsError: 2,
}
"""1: it failed. 2: what was asked for, or given, makes no sense."""


def kinds(error: type[TinychatError] = TinychatError) -> set[type[TinychatError]]:
    return {error}.union(*(kinds(kind) for kind in error.__subclasses__()))


def test_every_kind_of_error_has_its_exit_code() -> None:
    ours = {kind for kind in kinds() if kind.__module__.startswith("tinychat.")}
    assert {kind: kind.exit_code for kind in ours} == EXIT_CODES


@pytest.mark.parametrize("kind", EXIT_CODES, ids=lambda kind: kind.__name__)
def test_an_error_becomes_one_line_and_its_exit_code(
    call: Call, kind: type[TinychatError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise kind("first line\n  and   second")

    monkeypatch.setattr("tinychat.commands.corpora.run", fail)
    shown = call("corpora")
    assert shown == Outcome(EXIT_CODES[kind], "", "tinychat: first line and second\n")


@pytest.mark.parametrize(
    ("error", "code", "part"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 1, "memory"),
        (OSError(28, "No space left on device", "model.npz"), 1, "model.npz: No space left on device"),
        (OSError("odd"), 1, "odd"),
    ],
    ids=["interrupt", "memory", "disk", "other"],
)
def test_what_the_system_raises_is_one_line_too(
    call: Call, error: BaseException, code: int, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("tinychat.commands.corpora.run", fail)
    assert_refused(call("corpora"), code, part)


def test_a_mistake_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tinychat.commands.corpora.run", fail)
    with pytest.raises(ZeroDivisionError):
        main(["corpora"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--load", "m.npz", "train", "--corpus", "basics", "--out", "n.npz"],
        ["--seed", "3", "ask", "--load", "m.npz", "Hello"],
    ],
    ids=" ".join,
)
def test_a_flag_before_a_command_that_cannot_use_it_is_refused(
    call: Call, arguments: list[str], learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(learned, "m.npz")
    monkeypatch.setattr("tinychat.commands.recipe.load_corpus", lambda _: pytest.fail("training began"))
    assert_refused(call(*arguments), 2, arguments[0])


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--corpus", "~nobody-has-this-name/texts", "--out", "m.npz"],
        [
            "train",
            "--corpus",
            "basics",
            "--pretrain-epochs=0",
            "--tune-epochs=0",
            "--out",
            "~nobody-has-this-name/m",
        ],
        ["info", "~nobody-has-this-name/m.npz"],
        ["info", "m.npz", "--data-dir", "~nobody-has-this-name/models"],
    ],
    ids=["corpus", "out", "file", "data-dir"],
)
@pytest.mark.skipif(sys.platform == "win32", reason="there, any name has a home folder")
def test_a_tilde_with_an_unknown_name(call: Call, arguments: list[str]) -> None:
    shown = call(*arguments)
    assert shown.err.count("\n") == 1
    assert "~nobody-has-this-name" in shown.err
    assert shown.code in (1, 2)
