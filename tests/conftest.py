"""The same examples in every run, one thread a process, and Ctrl+C as in a terminal."""

import gc
import signal
from pathlib import Path

import numpy  # noqa: F401  the limit below holds for libraries that are loaded
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

from tinychat.training.processes import n_cores

settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")

# Products as small as a test's are slower on two threads, and there is a process a core already.
threadpool_limits(1, "blas")

# Tests and widgets are objects by the thousand, and every search for garbage walks over all of them.
gc.set_threshold(100_000, 20, 50)

# A shell lets what it starts in the background ignore Ctrl+C, and so would the programs that are tested.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: one more than there are cores, since tests of screens and of processes often wait."""
    return n_cores() + 1


@pytest.fixture
def beside_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is a new one with a small corpus, facts.txt."""
    monkeypatch.chdir(tmp_path)
    Path("facts.txt").write_text("Rain falls from clouds.\nSnow is frozen rain.\n", encoding="utf-8")
