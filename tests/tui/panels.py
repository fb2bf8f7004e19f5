"""Every panel of the chat, and the keys that lead there from the one above."""

from talk import answered, chat_of
from textual.pilot import Pilot
from tiny_app import until

from tinychat.generation.sampling import Sampling
from tinychat.tui.screens.curves import CurvesScreen
from tinychat.tui.screens.export import ExportDialog
from tinychat.tui.screens.word_map import WordMapScreen
from tinychat.tui.widgets.field import Field
from tinychat.tui.widgets.inside import Inside

PANELS = {
    "speaking": ["f3", *["right"] * 8, "down", "left"],
    "alternatives": ["home", "up", "home", "escape", "f4", "right", "right"],
    "attention": ["left", "left", "2", "right", "right", "down"],
    "heads": ["up", "left", "3"],
    "lens": ["4"],
    "curves": ["1", "home", "escape", "f7"],
    "curves-by-layer": ["2", "l"],
    "map": ["escape", "f6"],
    "map-of-a-word": [*"rain", "enter"],
    "export": ["escape", "f8"],
    "tint": ["escape", "ctrl+r", "f5"],
}


async def open_panel(pilot: Pilot[None], panel: str) -> None:
    app = pilot.app
    for key in PANELS[panel]:
        if key == "ctrl+r":  # an answer of which the model is sure has no tints
            chat_of(app).conversation.session.choose_by(Sampling(2.0))
        before = app.screen.query_one(Inside).insight if key in ("f4", "f5") else None
        await pilot.press(key)
        if key in ("f4", "f5"):
            inside = app.screen.query_one(Inside)
            await until(pilot, lambda: inside.insight is not before)  # noqa: B023
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
