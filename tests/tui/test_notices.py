"""What the app tells by the way: notices, and that one has to wait."""

from pathlib import Path
from threading import Event, current_thread
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Label
from textual.widgets._toast import Toast
from tiny_app import chat_is_open, new_run, until

from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.curves import CurvesScreen
from tinychat.tui.screens.dialogs import TrainDialog
from tinychat.tui.screens.notices import WaitDialog
from tinychat.tui.screens.word_map import WordMapScreen
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights.saved_models import Library


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_what_is_told_does_not_lie_over_the_line(
    library: Library, trained_run: TrainingRun, size: tuple[int, int]
) -> None:
    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query(Toast))
        await pilot.pause()
        assert app.screen.query_one(Toast).region.bottom <= app.screen.query_one(Prompt).region.y


@pytest.mark.parametrize(
    ("key", "screen"), [("ctrl+t", TrainDialog), ("f7", CurvesScreen), ("f6", WordMapScreen)]
)
async def test_above_the_chat_only_warnings_and_errors_are_told_on(
    library: Library, trained_run: TrainingRun, key: str, screen: type[Screen[object]]
) -> None:
    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))

    def told() -> list[str]:
        return [str(toast.render()) for toast in app.screen.query(Toast) if toast.display]

    async with app.run_test(notifications=True) as pilot:
        await until(pilot, lambda: chat_is_open(app))
        app.notify("It is saved.", timeout=60)
        app.notify("It is cut.", severity="warning", timeout=60)
        app.complain("It is full.")
        await until(pilot, lambda: told() == ["It is saved.", "It is cut.", "It is full."])
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, screen) and app.screen.query(Toast))
        await pilot.pause()
        assert told() == ["It is cut.", "It is full."]


@pytest.mark.parametrize(("done", "left"), [(1, "2 epochs"), (2, "1 epoch")])
async def test_what_is_left_of_an_interrupted_training_is_told(
    library: Library, done: int, left: str
) -> None:
    run = new_run(pretrain_epochs=1, tune_epochs=2)
    events = run.run()
    while run.model.card.epochs_done < done:
        next(events)
    app = TinychatApp(library, model=run.model, path=Path("weather.npz"))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, TrainDialog))
        told = str(app.screen.query(Label).first().content)
        assert told == f"Go on: its training was interrupted, {left} before its end"


def chatting_app(library: Library) -> tuple[TinychatApp, TrainingRun]:
    """With a model that is trained, and its run."""
    run = new_run(pretrain_epochs=1, tune_epochs=2)
    for _ in run.run():
        pass
    return TinychatApp(library, model=run.model, path=Path("weather.npz")), run


async def wait_for_corpus(pilot: Pilot[None], app: TinychatApp) -> None:
    """Train it further: its corpus has to be read."""
    await until(pilot, lambda: chat_is_open(app))
    await pilot.press("ctrl+t")
    await until(pilot, lambda: isinstance(app.screen, TrainDialog))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, WaitDialog))


async def test_while_a_corpus_is_read_one_waits_and_sees_why(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, run = chatting_app(library)
    is_read, resume = Event(), TrainingRun.resume

    def slowly(model: Any) -> TrainingRun:
        assert current_thread().daemon  # for others Python would wait at the end of the program
        assert is_read.wait(20)
        return resume(model)

    monkeypatch.setattr(TrainingRun, "resume", slowly)
    async with app.run_test() as pilot:
        await wait_for_corpus(pilot, app)
        await pilot.press("escape", "ctrl+n", "x")
        assert isinstance(app.screen, WaitDialog)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: len(app.screen_stack) == 3)
        is_read.set()
        await until(pilot, lambda: run.model.card.progress["tune"].epoch == 22 and chat_is_open(app))
        assert app.screen_stack == [app.chat]
        assert app.screen.query_one(Prompt).value == ""


async def test_one_need_not_wait_to_quit(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = chatting_app(library)
    is_left, is_over, resume = Event(), Event(), TrainingRun.resume

    def slowly(model: Any) -> TrainingRun:
        assert is_left.wait(20)
        made = resume(model)
        is_over.set()
        return made

    monkeypatch.setattr(TrainingRun, "resume", slowly)
    async with app.run_test() as pilot:
        await wait_for_corpus(pilot, app)
        await pilot.press("ctrl+q")
    assert (app.return_code, is_over.is_set()) == (0, False)
    is_left.set()
    assert is_over.wait(20)
