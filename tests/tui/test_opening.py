"""What is on the screen before there is a model, and what becomes of it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from textual.css.stylesheet import Stylesheet
from textual.geometry import Size
from textual.widgets import Static
from tiny_app import chat_is_open, endless_run, new_run, until

import tinychat
from tinychat.errors import CorpusError, StorageError
from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.opening import Opening
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.widgets.phase_panel import PhasePanel
from tinychat.weights.saved_models import Library


async def test_the_training_screen_waits_for_its_run(library: Library) -> None:
    go = Event()

    def make() -> TrainingRun:
        assert go.wait(20)
        return endless_run()

    app = TinychatApp(library, opening=Opening(make, is_training=True))
    async with app.run_test() as pilot:
        screen = app.screen
        assert isinstance(screen, TrainingScreen)
        assert [panel.border_title for panel in screen.query(PhasePanel)] == [
            "1 Pre-training",
            "2 Instruction tuning",
        ]
        assert "getting ready" in str(screen.query_one("#title", Static).content)
        assert not screen.active_bindings["space"].enabled
        await pilot.press("space", "c", "t", "i", "s")  # nothing to pause, to talk with or to save yet
        assert app.screen is screen
        go.set()
        await until(
            pilot, lambda: app.job is not None and len(app.job.model.card.progress["tune"].epochs) > 1
        )
        assert app.screen is screen
        assert not app.job.is_paused  # type: ignore[union-attr]
        assert screen.active_bindings["space"].enabled
        assert "parameters" in str(screen.query_one("#card", Static).content)
        assert "getting ready" not in str(screen.query_one("#title", Static).content)


async def test_the_style_sheets_of_the_chat_are_read_while_the_model_is_trained(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TinychatApp(library, opening=Opening(endless_run, is_training=True))
    async with app.run_test() as pilot:
        await until(pilot, lambda: any(path.endswith("chat.tcss") for path, _ in app.stylesheet.source))
        monkeypatch.setattr(Stylesheet, "reparse", lambda _: pytest.fail("all sheets were read anew"))
        await until(pilot, lambda: app.job is not None and app.job.model.card.epochs_done)
        await pilot.press("c")
        await until(pilot, lambda: chat_is_open(app))


@pytest.mark.parametrize(
    ("size", "classes"),
    [((60, 18), {"-narrow", "-short"}), ((80, 24), {"-normal", "-tall"}), ((130, 34), {"-wide", "-roomy"})],
)
async def test_the_first_frame_has_the_classes_of_its_size(
    library: Library, size: tuple[int, int], classes: set[str]
) -> None:
    """So that it is not styled and laid out once more: Textual finds the same ones afterwards."""
    screen = TrainingScreen()
    screen.fit(Size(*size))
    assert screen.classes == classes
    app = TinychatApp(library, opening=Opening(endless_run, is_training=True))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert app.screen.classes >= classes
        assert not app.screen.classes & (
            {"-narrow", "-normal", "-wide", "-short", "-tall", "-roomy"} - classes
        )


async def test_a_chat_opens_when_its_model_is_there(library: Library, trained_run: TrainingRun) -> None:
    go = Event()

    def make() -> object:
        assert go.wait(20)
        return trained_run.model

    app = TinychatApp(library, opening=Opening(make, is_training=False), path=Path("rain.npz"))  # type: ignore[arg-type]
    async with app.run_test() as pilot:
        assert "opening" in str(app.screen.query_one(Static).content)
        await pilot.press("ctrl+p")  # the list of commands stands above, and gives way
        await until(pilot, lambda: len(app.screen_stack) == 2)
        go.set()
        await until(pilot, lambda: chat_is_open(app))
        assert len(app.screen_stack) == 1
        assert app.chat is not None
        assert app.chat.path == Path("rain.npz")


async def test_what_cannot_be_made_ends_the_program_and_is_kept_for_the_terminal(library: Library) -> None:
    error = CorpusError("x.txt is empty")

    def make() -> TrainingRun:
        raise error

    app = TinychatApp(library, opening=Opening(make, is_training=True))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app._exit)
    assert app.failure is error


async def test_a_run_that_can_be_kept_nowhere(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    app = TinychatApp(Library(tmp_path / "file" / "models"), opening=Opening(new_run, is_training=True))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app._exit)
    assert isinstance(app.failure, StorageError)


async def test_quitting_does_not_wait_for_what_is_being_read(library: Library) -> None:
    go = Event()

    def make() -> TrainingRun:
        go.wait(20)
        return new_run()

    app = TinychatApp(library, opening=Opening(make, is_training=True))
    async with app.run_test() as pilot:
        await pilot.press("q")
        await until(pilot, lambda: app._exit, seconds=5)
        assert app.opener is not None
        assert app.opener.is_alive()
    go.set()
    app.opener.join(20)
    assert not app.opener.is_alive()
    assert app.failure is None
    assert app.job is None


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX")
def test_the_first_frame_needs_no_numpy() -> None:
    program = (
        "import json, sys; import tinychat.commands.app, tinychat.tui.app; "
        "print(json.dumps(list(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(tinychat.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=environment)
    loaded = set(json.loads(done.stdout))
    assert "tinychat.tui.screens.training" in loaded
    assert not loaded & {
        "numpy",
        "threadpoolctl",
        "tinychat.model",
        "tinychat.corpus.readers",
        "tinychat.training.events",
        "tinychat.tui.screens.chat",
        "tinychat.tui.screens.dialogs",
    }
