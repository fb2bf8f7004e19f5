"""Fixtures of the screens' tests."""

from pathlib import Path

import pytest
from album import album  # noqa: F401
from tiny_app import CORPUS, new_run

from tinychat.training.run import TrainingRun
from tinychat.tui.widgets import conversation
from tinychat.weights.saved_models import Library


@pytest.fixture(scope="session")
def trained_run() -> TrainingRun:
    """Answers all three questions. Do not train it further."""
    run = new_run()
    for _ in run.run():
        pass
    return run


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "models")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are not written slowly, that one can follow; tests of the pace set their own."""
    monkeypatch.setattr(conversation, "PACE_S", 0)


@pytest.fixture(autouse=True)
def corpora_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app reads the corpus again by its source; here that is the small one."""
    monkeypatch.setattr("tinychat.training.run.load_corpus", lambda source: CORPUS)
