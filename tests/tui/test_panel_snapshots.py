"""Pictures of every panel, compared to the letter. After a wanted change: pytest --snapshot-update."""

from pathlib import Path

import pytest
from panels import EVERY_LOOK, LOOKS, PANELS, open_panel
from textual.pilot import Pilot

from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.widgets import conversation
from tinychat.weights.saved_models import Library


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("look", EVERY_LOOK)
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
        if theme == "light":
            await pilot.press("f2")
        await open_panel(pilot, panel)

    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    app.animation_level = "none"  # or the line below the tabs would still be on its way
    assert snap_compare(app, terminal_size=size, run_before=open_it)
