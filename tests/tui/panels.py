"""Every panel of the chat, and the keys that open it."""

import pytest
from talk import answered, ask
from textual.pilot import Pilot
from textual.widgets import Input
from tiny_app import until

from tinychat.tui.screens.curves import CurvesScreen
from tinychat.tui.screens.export import ExportDialog
from tinychat.tui.screens.word_map import WordMapScreen
from tinychat.tui.widgets.field import Field
from tinychat.tui.widgets.inside import Inside
from tinychat.tui.widgets.prompt import Prompt

LOOKS = {
    "80x24": ((80, 24), "dark", False),
    "120x40": ((120, 40), "dark", False),
    "light": ((120, 40), "light", False),
    "no-colour": ((80, 24), "dark", True),
}
EVERY_LOOK = [
    "80x24",
    "120x40",
    pytest.param("light", marks=pytest.mark.slow),  # colours alone are other ones
    pytest.param("no-colour", marks=pytest.mark.slow),
]
PANELS = {
    "speaking": ["f3", *["right"] * 8, "down", "left"],
    "alternatives": ["f4", "right", "right"],
    "attention": ["f4", "2", "right", "right", "down"],
    "heads": ["f4", "3", "right"],
    "lens": ["f4", "4", "right"],
    "tint": ["f3", *["right"] * 20, "escape", "ctrl+r", "f5"],
    "curves": ["f7"],
    "curves-by-layer": ["f7", "2", "l"],
    "map": ["f6"],
    "map-of-a-word": ["f6", *"rain", "enter"],
    "export": ["f8"],
}


async def open_panel(pilot: Pilot[None], panel: str) -> None:
    """Behind a question that was answered."""
    app = pilot.app
    app.screen.query_one(Prompt).cursor_blink = False
    await ask(pilot, "What is rain?")
    for key in PANELS[panel]:
        await pilot.press(key)
        if key in ("f4", "f5"):
            inside = app.screen.query_one(Inside)
            await until(pilot, lambda: inside.insight is not None)  # noqa: B023
        elif key == "ctrl+r":
            await answered(pilot)
        elif key == "f6":
            await until(pilot, lambda: isinstance(app.screen, WordMapScreen))
            field = app.screen.query_one(Field)
            await until(pilot, lambda: field._found is not None)  # noqa: B023
        elif key == "f7":
            await until(pilot, lambda: isinstance(app.screen, CurvesScreen))
        elif key == "f8":
            await until(pilot, lambda: isinstance(app.screen, ExportDialog))
    await come_to_rest(pilot)


async def come_to_rest(pilot: Pilot[None]) -> None:
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
    for _ in range(5):
        await pilot.pause()
    await pilot.pause(0.5)  # the line below the tabs glides
