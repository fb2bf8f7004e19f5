"""Real processes: standard streams that are pipes, closed, full, or in another encoding."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_runs import ANSWERS, Outcome, bits, command, environment, epochs_of, spawn

import tinychat

not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell of POSIX")
EPOCHS = ("--pretrain-epochs", "2", "--tune-epochs", "2")


def shell(line: str, *arguments: str | Path) -> Outcome:
    """Run a line of shell, in which "$@" is the program with its arguments."""
    done = subprocess.run(
        ["/bin/sh", "-c", line, "sh", *command(*arguments)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def arguments(request: pytest.FixtureRequest, learned: Path, kept_corpus: Path) -> list[str]:
    """The parameter, a command line, with MODEL and CORPUS filled in."""
    places = {"MODEL": str(learned), "CORPUS": str(kept_corpus)}
    return [places.get(word, word) for word in shlex.split(request.param)]


def commands(*lines: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("arguments", lines, indirect=True)


ASK = "ask --load MODEL 'What falls?'"
EVAL = "eval --load MODEL --corpus CORPUS"
INSPECT = "inspect --load MODEL 'What falls?' --attention"
COMPARE = "compare MODEL MODEL"
TRAIN = "train --corpus CORPUS --pretrain-epochs 1 --tune-epochs 1 --out m.npz --json"


# Output


@contextmanager
def nobody_reads() -> Iterator[int]:
    """The writing end of a pipe whose reading end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


@not_on_windows
@commands("--help", "corpora", EVAL, ASK, COMPARE, TRAIN)
def test_nobody_reads_the_output(arguments: list[str]) -> None:
    """What is printed without a flush fails only when Python ends, and then in Python's own words."""
    with nobody_reads() as stdout:
        done = spawn(*arguments, stdout=stdout)
    assert done.err == ""
    assert done.code in (0, 1)


@not_on_windows
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@commands("--version", "tokenize Rain", "info MODEL", INSPECT, TRAIN)
def test_the_disk_is_full_behind_the_output(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as stdout:
        done = spawn(*arguments, stdout=stdout)
    assert done.err.count("\n") == 1
    assert done.err.startswith("tinychat: ")
    assert done.code == 1


@not_on_windows
def test_head_takes_one_event_of_the_training(kept_corpus: Path) -> None:
    done = shell(
        '{ "$@"; echo "code $?" >&2; } | head -1',
        *(
            "train",
            "--corpus",
            kept_corpus,
            "--pretrain-epochs=30",
            "--tune-epochs=0",
            "--out",
            "m.npz",
            "--json",
        ),
    )
    [record] = done.records
    assert record["event"] == "phase_started"
    assert done.err == "code 1\n"
    if Path("m.npz").exists():  # an epoch was done before the reader was missed
        assert epochs_of(Path("m.npz"))["pretrain"] < 30
        assert spawn("train", "--resume", "m.npz").code == 0
        assert epochs_of(Path("m.npz"))["pretrain"] == 30


@not_on_windows
def test_head_takes_one_answer(learned: Path) -> None:
    done = shell('"$@" | head -1', "ask", "--load", learned, *list(ANSWERS) * 30)
    assert (done.out, done.err) == ("Rain falls.\n", "")


@not_on_windows
def test_no_standard_output_at_all(learned: Path) -> None:
    assert shell('"$@" >&-', "ask", "--load", learned, "What falls?") == Outcome(0, "", "")


@not_on_windows
def test_no_standard_error_at_all(learned: Path) -> None:
    """Then remarks go nowhere, and not to stdout."""
    done = shell('"$@" 2>&-', "ask", "--load", learned, "--json", "[What] falls?")
    assert [record["prompt"] for record in done.records] == ["[What] falls?"]


@pytest.fixture(scope="module")
def mountain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a model that goes on after `Größe` with what not every encoding has."""
    folder = tmp_path_factory.mktemp("mountain")
    (folder / "mountain.txt").write_text("Größe 山 😀 ist.\n", encoding="utf-8")
    model = tinychat.train(folder / "mountain.txt", pretrain_epochs=20)
    assert model.ask("Größe") == "山 😀 ist."
    return model.save(folder / "m.npz")


@pytest.mark.parametrize(
    ("encoding", "flags"),
    [("utf-8", []), ("cp1252", []), ("cp1252", ["--json"])],
    ids=["utf-8", "cp1252", "cp1252, json"],
)
def test_an_answer_that_the_encoding_of_the_output_does_not_have(
    mountain: Path, encoding: str, flags: list[str]
) -> None:
    """On Windows every pipe is in cp1252."""
    done = spawn("ask", "--load", mountain, "Größe", *flags, env={"PYTHONIOENCODING": encoding})
    assert "Traceback" not in done.err
    assert done.code == 0
    if flags:
        assert done.records[0]["answer"] == "山 😀 ist."
    elif encoding == "utf-8":
        assert done.out == "山 😀 ist.\n"
    if encoding == "utf-8":
        assert done.err == ""


# Input


def test_prompts_from_a_pipe(learned: Path) -> None:
    prompts = ["What falls?", "山 😀 Größe", "Who shines?"]
    text = "".join(f"{prompt}\n" for prompt in prompts)
    done = spawn("ask", "--load", learned, "--json", input=text.encode(), env={"LC_ALL": "C.UTF-8"})
    assert (done.code, [record["prompt"] for record in done.records]) == (0, prompts)
    assert [done.records[number]["answer"] for number in (0, 2)] == ["Rain falls.", "The sun."]


def test_input_that_is_empty_ends(learned: Path) -> None:
    assert spawn("ask", "--load", learned, stdin=subprocess.DEVNULL) == Outcome(0, "", "")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "utf-8:strict"},
        {"LC_ALL": "C.UTF-8"},
    ],
    ids=lambda env: "=".join(*env.items()),
)
def test_input_that_is_not_utf_8(learned: Path, env: dict[str, str]) -> None:
    """By itself, Python takes invalid bytes for surrogates in some locales, and in others it does not."""
    done = spawn("ask", "--load", learned, "--json", input=b"Gr\xf6\xdfe\n", env=env)
    assert done.err.count("\n") == 1
    assert "UTF-8" in done.err
    assert (done.code, done.out) == (2, "")


@not_on_windows
def test_no_standard_input_at_all(learned: Path) -> None:
    done = shell('"$@" <&-', "ask", "--load", learned)
    assert "Traceback" not in done.err
    assert done.err.count("\n") <= 1
    assert (done.code in (0, 2), done.out) == (True, "")
    assert shell('"$@" <&-', "ask", "--load", learned, "What falls?") == Outcome(0, "Rain falls.\n", "")


@not_on_windows
def test_training_asks_nothing_of_standard_input(kept_corpus: Path) -> None:
    for number, line in enumerate(('"$@"', '"$@" <&- >&- 2>&-')):
        arguments = ("train", "--corpus", kept_corpus, *EPOCHS, "--out", f"{number}.npz")
        assert shell(line, *arguments).code == 0
    assert bits(Path("0.npz")) == bits(Path("1.npz"))


# A terminal behind stderr alone


@not_on_windows
def test_progress_bars_are_on_stderr_alone(kept_corpus: Path) -> None:
    pexpect = pytest.importorskip("pexpect")
    pyte = pytest.importorskip("pyte")
    program = shlex.join(command("train", "--corpus", kept_corpus, *EPOCHS, "--out", "m.npz"))
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", f"exec {program} > out.txt"],
        env=environment(TERM="xterm"),
        dimensions=(24, 80),
        timeout=60,
    )
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
    assert Path("out.txt").read_bytes() == b""
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(child.before)
    [pretrain] = [line for line in screen.display if line.startswith("Pre-training")]
    [tune] = [line for line in screen.display if line.startswith("Instruction tuning")]
    card = tinychat.load("m.npz").card
    for line, phase in ((pretrain, "pretrain"), (tune, "tune")):
        assert "2/2" in line
        assert f"loss {card.progress[phase].last_loss:.4f}" in line
        assert "0 s left" in line
    assert not screen.cursor.hidden, "the cursor was not given back"
