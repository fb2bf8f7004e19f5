"""Pictures of every panel, compared to the letter. After a wanted change: pytest --snapshot-update."""

from pathlib import Path

import pytest
from talk import answered, ask
from textual.pilot import Pilot
from textual.widgets import Input
from tiny_app import until

from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.curves import CurvesScreen
from tinychat.tui.screens.export import ExportDialog
from tinychat.tui.screens.word_map import WordMapScreen
from tinychat.tui.widgets import conversation
from tinychat.tui.widgets.field import Field
from tinychat.tui.widgets.inside import Inside
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights.saved_models import Library

LOOKS = {
    "80x24": ((80, 24), "dark", False),
    "120x40": ((120, 40), "dark", False),
    "light": ((120, 40), "light", False),
    "no-colour": ((80, 24), "dark", True),
}
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


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("look", LOOKS)
def test_panel(  # type: ignore[no-untyped-def]
    snap_compare,
    library: Library,
    trained_run: TrainingRun,
    monkeypatch: pytest.MonkeyPatch,
    panel: str,
    look: str,
) -> None:
    size, theme, is_grey = LOOKS[look]
    monkeypatch.setattr(conversation, "PACE_S", 0)
    if is_grey:
        monkeypatch.setenv("NO_COLOR", "1")

    async def open_it(pilot: Pilot[None]) -> None:
        app = pilot.app
        if theme == "light":
            await pilot.press("f2")
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
        for field in app.screen.query(Input):
            field.cursor_blink = False
        for _ in range(5):
            await pilot.pause()

    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    app.animation_level = "none"  # or the line below the tabs would still be on its way
    assert snap_compare(app, terminal_size=size, run_before=open_it)
