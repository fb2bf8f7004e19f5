"""Calling the program, in this process and in one of its own, and reading what it leaves behind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from short_runs import ANSWERS, FACTS
from timings import without_timings

import tinychat
from tinychat.weights import load

CHAT = "\n\n".join(f"User: {question}\nAssistant: {answer}" for question, answer in ANSWERS.items()) + "\n"

UNSET = (
    *("PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8"),
    *("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "COLUMNS", "LINES"),
)
"""Variables that would hide what happens on other people's machines."""


@dataclass(frozen=True)
class Outcome:
    """What a call of the program came to."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON objects on standard output; fails if a line is not one."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def names(self) -> list[str]:
        return [record["event"] for record in self.records]


Call = Callable[..., Outcome]
"""The fixture `call`: the program with these arguments, in this process."""


def assert_refused(outcome: Outcome, code: int, *parts: str) -> None:
    """One line on stderr that has all `parts`, nothing on stdout, and the right exit code."""
    assert outcome.err.startswith("tinychat"), outcome.err
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.endswith("\n"), outcome.err
    assert outcome.out == ""
    assert outcome.code == code
    for part in parts:
        assert part in outcome.err


def write_corpus(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "pretraining.txt").write_text("\n".join(FACTS) + "\n", encoding="utf-8")
    (folder / "chat.txt").write_text(CHAT, encoding="utf-8")
    return folder


def read_only(path: Path) -> Iterator[Path]:
    """For a fixture: the file, and a look whether it is still the same."""
    before = path.read_bytes()
    yield path
    assert path.read_bytes() == before, "a test changed a file of all tests"


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "tinychat", *map(str, arguments)]


def environment(**changes: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in UNSET}
    return {**kept, "PYTHONPATH": str(Path(tinychat.__file__).parents[1]), **changes}


def spawn(*arguments: str | Path, env: dict[str, str] | None = None, **options: Any) -> Outcome:
    """Run the program to its end in a process of its own; without `stdin` or `input`, its input is empty."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run(command(*arguments), env=environment(**(env or {})), timeout=60, **options)
    out, err = (
        part.decode("utf-8", "surrogateescape") if part else "" for part in (done.stdout, done.stderr)
    )
    return Outcome(done.returncode, out.replace("\r\n", "\n"), err.replace("\r\n", "\n"))


def bits(path: Path) -> dict[str, Any]:
    """All that makes a saved model, to the bit, but for its date and the time that it took."""
    model = load(path)
    assert model.optimizer is not None
    card = without_timings(asdict(model.card))
    del card["created"]
    return {
        "values": model.transformer.parameters.values.tobytes(),
        "state": {name: vector.tobytes() for name, vector in model.optimizer.state.items()},
        "updates": model.optimizer.updates,
        "card": card,
    }


def epochs_of(path: Path) -> dict[str, int]:
    """Phase -> epochs that the model in the file has done."""
    return {phase: progress.epoch for phase, progress in load(path).card.progress.items()}
