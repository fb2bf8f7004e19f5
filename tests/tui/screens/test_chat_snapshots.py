"""Pictures of teaching, of the talk with a model in training, and of the panels on a narrow screen.

They are compared to the letter. After a wanted change: pytest --snapshot-update.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest
from panels import EVERY_LOOK, LOOKS, PANELS, come_to_rest, open_panel
from talk import answered, ask, texts
from textual.pilot import Pilot
from textual.widgets import Input
from tiny_app import CORPUS, chat_is_open, until

from tinychat.training import teaching
from tinychat.training.events import LessonChecked, LessonDone
from tinychat.training.run import TrainingRun
from tinychat.training.teaching import Lesson
from tinychat.tui.app import TinychatApp
from tinychat.tui.job import talking_copy
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.teach import TeachDialog
from tinychat.tui.widgets import conversation
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights.saved_models import Library

VIEWS = ("teach", "learning", "learnt")


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures of a lesson depend on the machine."""
    run = Lesson.run

    def even(lesson: Lesson) -> Iterator[LessonChecked | LessonDone]:
        for event in run(lesson):
            if isinstance(event, LessonDone):
                yield replace(event, seconds=0.9, right=14, wordings=16)

    monkeypatch.setattr(Lesson, "run", even)
    monkeypatch.setattr(teaching, "load_corpus", lambda source: CORPUS)
    monkeypatch.setattr(conversation, "PACE_S", 0)


def endless(lesson: Lesson) -> Iterator[LessonChecked]:
    while True:
        sleep(0.1)
        yield LessonChecked(24, 0.1, 14, 16, 97, 100)


async def put_on(pilot: Pilot[None], theme: str) -> None:
    if theme == "light":
        await pilot.press("f2")
    pilot.app.screen.query_one(Prompt).cursor_blink = False


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("look", [*EVERY_LOOK, "60x24"])
def test_teaching(  # type: ignore[no-untyped-def]
    snap_compare,
    library: Library,
    trained_run: TrainingRun,
    monkeypatch: pytest.MonkeyPatch,
    view: str,
    look: str,
) -> None:
    size, theme, is_grey = LOOKS.get(look, ((60, 24), "dark", False))
    if is_grey:
        monkeypatch.setenv("NO_COLOR", "1")
    if view == "learning":
        monkeypatch.setattr(Lesson, "run", endless)
    app = TinychatApp(library, model=talking_copy(trained_run.model), path=Path("weather.npz"))

    async def go_there(pilot: Pilot[None]) -> None:
        await put_on(pilot, theme)
        await ask(pilot, "What is [hail]?")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(app.screen, TeachDialog))
        app.screen.query_one(Input).value = "Hail is ice that falls from clouds."
        if view != "teach":
            await pilot.press("enter")
            await until(pilot, lambda: chat_is_open(app))
        if view == "learning":
            await until(pilot, lambda: "right: 14 of 16" in texts(app, "note")[-1])
        elif view == "learnt":
            await until(pilot, lambda: len(texts(app, "question")) == 2)
            await answered(pilot)
        await come_to_rest(pilot)

    assert snap_compare(app, terminal_size=size, run_before=go_there)


@pytest.mark.parametrize("look", [*EVERY_LOOK, "60x24"])
def test_talk_meanwhile(  # type: ignore[no-untyped-def]
    snap_compare, library: Library, trained_run: TrainingRun, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    size, theme, is_grey = LOOKS.get(look, ((60, 24), "dark", False))
    if is_grey:
        monkeypatch.setenv("NO_COLOR", "1")
    app = TinychatApp(library)

    async def talk(pilot: Pilot[None]) -> None:
        learnt = "instruction tuning, epoch 40 of 100"
        note = f"A copy from {learnt}; the training goes on. Ctrl+T leads back, F9 renews it."
        model = talking_copy(trained_run.model)
        await app.push_screen(ChatScreen(model, Path("weather.npz"), note, learnt))
        await put_on(pilot, theme)
        await ask(pilot, "What is snow?")
        await ask(pilot, "Hello!")
        await come_to_rest(pilot)

    assert snap_compare(app, terminal_size=size, run_before=talk)


@pytest.mark.parametrize("panel", PANELS)
def test_narrow_panel(snap_compare, library: Library, trained_run: TrainingRun, panel: str) -> None:  # type: ignore[no-untyped-def]
    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))

    async def open_it(pilot: Pilot[None]) -> None:
        await open_panel(pilot, panel)

    assert snap_compare(app, terminal_size=(60, 24), run_before=open_it)
