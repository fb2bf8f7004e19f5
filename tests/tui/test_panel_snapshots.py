"""Pictures of every panel, compared to the letter. After a wanted change: pytest --snapshot-update."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from album import SIZES, Album
from panels import PANELS, open_panel
from talk import ask

from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights.saved_models import Library

Take = Callable[..., Awaitable[None]]


@pytest.fixture
def take(library: Library, trained_run: TrainingRun, album: Album) -> Take:
    """Picture all panels, behind a question that was answered."""

    async def take(*sizes: tuple[int, int], theme: str = "dark") -> None:
        app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
        app.animation_level = "none"  # or the line below the tabs would still be on its way
        async with app.run_test(size=sizes[-1]) as pilot:
            if theme == "light":
                await pilot.press("f2")
            app.screen.query_one(Prompt).cursor_blink = False
            await ask(pilot, "What is rain?")
            for panel in PANELS:
                await open_panel(pilot, panel)
                await album.take(pilot, panel, *sizes)

    return take


async def test_panel(take: Take) -> None:
    await take(*SIZES)


@pytest.mark.slow  # colours alone are other ones
async def test_panel_light(take: Take) -> None:
    await take((120, 40), theme="light")


@pytest.mark.slow
async def test_panel_without_colours(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    await take((80, 24))
