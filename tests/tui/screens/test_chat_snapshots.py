"""Pictures of teaching, and of the talk with a model in training.

They are compared to the letter. After a wanted change: pytest --snapshot-update.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

import pytest
from album import SIZES, Album
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
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights.saved_models import Library

Take = Callable[..., Awaitable[None]]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flag]:
    """Until it is set, a lesson is under way. Its figures are the same on every machine."""
    door, run = Flag(), Lesson.run

    def even(lesson: Lesson) -> Iterator[LessonChecked | LessonDone]:
        yield LessonChecked(24, 0.1, 14, 16, 97, 100)
        assert door.wait(60)
        for event in run(lesson):
            if isinstance(event, LessonDone):
                yield replace(event, seconds=0.9, right=14, wordings=16)

    monkeypatch.setattr(Lesson, "run", even)
    monkeypatch.setattr(teaching, "load_corpus", lambda source: CORPUS)
    yield door
    door.set()


async def put_on(pilot: Pilot[None], theme: str) -> None:
    if theme == "light":
        await pilot.press("f2")
    pilot.app.screen.query_one(Prompt).cursor_blink = False


@pytest.fixture
def teach(library: Library, trained_run: TrainingRun, album: Album, door: Flag) -> Take:
    """Picture the question for the right answer, the lesson under way, and what is said after it."""

    async def teach(*sizes: tuple[int, int], theme: str = "dark") -> None:
        app = TinychatApp(library, model=talking_copy(trained_run.model), path=Path("weather.npz"))
        app.animation_level = "none"
        async with app.run_test(size=sizes[-1]) as pilot:
            await put_on(pilot, theme)
            await ask(pilot, "What is [hail]?")
            await pilot.press("ctrl+n")
            await until(pilot, lambda: isinstance(app.screen, TeachDialog))
            app.screen.query_one(Input).value = "Hail is ice that falls from clouds."
            await album.take(pilot, "teach", *sizes)
            await pilot.press("enter")
            await until(pilot, lambda: chat_is_open(app))
            await until(pilot, lambda: "right: 14 of 16" in texts(app, "note")[-1])
            await album.take(pilot, "learning", *sizes)
            door.set()
            await until(pilot, lambda: len(texts(app, "question")) == 2)
            await answered(pilot)
            await album.take(pilot, "learnt", *sizes)

    return teach


async def test_teaching(teach: Take) -> None:
    await teach(*SIZES)


@pytest.mark.slow  # colours alone are other ones
async def test_teaching_light(teach: Take) -> None:
    await teach((120, 40), theme="light")


@pytest.mark.slow
async def test_teaching_without_colours(teach: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    await teach((80, 24))


@pytest.fixture
def talk(library: Library, trained_run: TrainingRun, album: Album) -> Take:
    async def talk(*sizes: tuple[int, int], theme: str = "dark") -> None:
        app = TinychatApp(library)
        async with app.run_test(size=sizes[-1]) as pilot:
            learnt = "instruction tuning, epoch 40 of 100"
            note = f"A copy from {learnt}; the training goes on. Ctrl+T leads back, F9 renews it."
            model = talking_copy(trained_run.model)
            await app.push_screen(ChatScreen(model, Path("weather.npz"), note, learnt))
            await put_on(pilot, theme)
            await ask(pilot, "What is snow?")
            await ask(pilot, "Hello!")
            await album.take(pilot, "", *sizes)

    return talk


async def test_talk_meanwhile(talk: Take) -> None:
    await talk(*SIZES)


@pytest.mark.slow
async def test_talk_meanwhile_light(talk: Take) -> None:
    await talk((120, 40), theme="light")


@pytest.mark.slow
async def test_talk_meanwhile_without_colours(talk: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    await talk((80, 24))
