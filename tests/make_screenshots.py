"""Draw the pictures of the README from a real run: python tests/make_screenshots.py [FOLDER]"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from threadpoolctl import threadpool_limits

from tinychat.corpus import load_corpus
from tinychat.model import TUNE
from tinychat.presets import preset
from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights.saved_models import Library

SIZE = (96, 28)
QUESTIONS = ("Hello!", "How do mountains form?", "Why is the sky blue?", "How does a language model learn?")


async def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    run = TrainingRun.start(load_corpus(), preset("classic"))
    app = TinychatApp(Library(Path(tempfile.mkdtemp())), run=run)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: run.model.card.progress[TUNE].epoch >= 45)
        draw(app, folder / "training.svg")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await pilot.press("ctrl+l")
        for question in QUESTIONS:
            app.screen.query_one(Prompt).value = question
            await pilot.press("enter")
            await pilot.pause(0.1)
            await until(pilot, lambda: not getattr(app.screen, "is_answering", False))
        draw(app, folder / "chat.svg")
        await pilot.press("f2")
        await pilot.pause(0.2)
        draw(app, folder / "chat-light.svg")


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    while not condition():
        await pilot.pause(0.02)


def draw(app: TinychatApp, path: Path) -> None:
    path.write_text(app.export_screenshot(title="tinychat"), encoding="utf-8")


if __name__ == "__main__":
    with threadpool_limits(limits=1, user_api="blas"):
        asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("screenshots")))
