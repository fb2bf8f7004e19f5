"""A chat screen that is asked something."""

from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Static
from tiny_app import until

from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.widgets.prompt import Prompt


def texts(app: App[None], kind: str) -> list[str]:
    return [str(widget.content) for widget in app.screen.query(f".{kind}").results(Static)]


def chat_of(app: App[None]) -> ChatScreen:
    assert isinstance(app.screen, ChatScreen)
    return app.screen


async def ask(pilot: Pilot[None], question: str) -> None:
    pilot.app.screen.query_one(Prompt).value = question
    await pilot.press("enter")
    await answered(pilot)


async def answered(pilot: Pilot[None]) -> None:
    await pilot.pause()
    screen = chat_of(pilot.app)
    await until(pilot, lambda: not screen.is_answering)
    await pilot.pause()
