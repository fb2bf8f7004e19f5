"""Draw the pictures of the README from a real run: python tests/make_screenshots.py [FOLDER]"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input
from threadpoolctl import threadpool_limits

from tinychat.corpus import load_corpus
from tinychat.presets import TUNE, preset
from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.curves import CurvesScreen
from tinychat.tui.screens.teach import TeachDialog
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.screens.word_map import WordMapScreen
from tinychat.tui.widgets.inside import Inside
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights.saved_models import Library

SIZE, WIDE = (96, 28), (120, 34)
QUESTIONS = ("Hello!", "How do mountains form?", "Why is the sky blue?", "How does a language model learn?")

REWORDED = "Why is the sea so salty?"
"""The corpus asks it otherwise."""
LESSON = ("What is hail?", "Hail is ice that grows in a storm cloud.")


async def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    await draw_training(folder)
    await draw_inside(folder)
    await draw_map(folder)


async def draw_training(folder: Path) -> None:
    """From the training of `classic`, through a talk with a copy of it, to the chat."""
    run = TrainingRun.start(load_corpus(), preset("classic"))
    app = TinychatApp(Library(Path(tempfile.mkdtemp())), run=run)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: run.model.card.progress[TUNE].epoch >= 20)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await ask(pilot, *QUESTIONS[:3])
        draw(app, folder / "talk-meanwhile.svg")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        await until(pilot, lambda: run.model.card.progress[TUNE].epoch >= 45)
        draw(app, folder / "training.svg")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, CurvesScreen))
        await settle(pilot)
        draw(app, folder / "curves.svg")
        await pilot.press("2")
        await settle(pilot)
        draw(app, folder / "gradients.svg")


async def draw_inside(folder: Path) -> None:
    """All that is seen of a finished model: `modern`, which has several layers with several heads."""
    app = trained_on("basics")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+l")
        await ask(pilot, *QUESTIONS)
        draw(app, folder / "chat.svg")
        await pilot.press("f2")
        await settle(pilot)
        draw(app, folder / "chat-light.svg")
        await pilot.press("f2")
        await pilot.resize_terminal(*WIDE)
        await pilot.press("f3", *["right"] * 8, "down", "left", "left")
        await settle(pilot)
        draw(app, folder / "speaking.svg")
        await pilot.press("ctrl+l")
        await ask(pilot, QUESTIONS[2], REWORDED)
        await pilot.press("f4", "f5")
        inside = app.screen.query_one(Inside)
        await until(pilot, lambda: inside.insight is not None)
        await pilot.press(*["right"] * 3)
        for key, name in zip("1234", ("alternatives", "attention", "heads", "lens"), strict=True):
            await pilot.press(key)
            await settle(pilot)
            draw(app, folder / f"{name}.svg")
        await pilot.press("escape", "f5", "ctrl+l", "f3", "home", "escape")
        await pilot.resize_terminal(*SIZE)
        await draw_teaching(app, pilot, folder)


async def draw_map(folder: Path) -> None:
    """From `world`: a small corpus uses its words too seldom to tell which are alike."""
    app = trained_on("world")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, WordMapScreen))
        await pilot.press(*"rain", "enter")
        await settle(pilot)
        draw(app, folder / "map.svg")


async def draw_teaching(app: TinychatApp, pilot: Pilot[None], folder: Path) -> None:
    """A question that the corpus does not answer, and one that it does, asked behind the lesson."""
    question, answer = LESSON
    await ask(pilot, question)
    await pilot.press("ctrl+n")
    await until(pilot, lambda: isinstance(app.screen, TeachDialog))
    app.screen.query_one(Input).value = answer
    await settle(pilot)
    draw(app, folder / "teach.svg")
    await pilot.press("enter")
    await until(pilot, lambda: len(app.screen.query(".question")) == 2)
    await until(pilot, lambda: not getattr(app.screen, "is_answering", False))
    await ask(pilot, QUESTIONS[2])
    draw(app, folder / "taught.svg")


def trained_on(corpus: str) -> TinychatApp:
    """A chat with `modern`, which has learnt it."""
    run = TrainingRun.start(load_corpus(corpus), preset("modern"))
    for _ in run.run():
        pass
    library = Library(Path(tempfile.mkdtemp()))
    return TinychatApp(library, model=run.model, path=run.model.save(library.folder / f"{corpus}.npz"))


async def ask(pilot: Pilot[None], *questions: str) -> None:
    for question in questions:
        pilot.app.screen.query_one(Prompt).value = question
        await pilot.press("enter")
        await pilot.pause(0.1)
        await until(pilot, lambda: not getattr(pilot.app.screen, "is_answering", False))


async def settle(pilot: Pilot[None]) -> None:
    """Until nothing glides any more."""
    await pilot.pause(0.6)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    while not condition():
        await pilot.pause(0.02)


def draw(app: TinychatApp, path: Path) -> None:
    path.write_text(app.export_screenshot(title="tinychat"), encoding="utf-8")


if __name__ == "__main__":
    with threadpool_limits(limits=1, user_api="blas"):
        asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("screenshots")))
