"""Pictures of an app that runs, compared to the letter with those that are kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from textual.widgets import Input

SIZES = ((120, 40), (60, 24), (80, 24))  # what is done between two pictures is drawn at the last size


class Album:
    """One run of the app is pictured many times: what takes long is to start it and to lead it somewhere."""

    def __init__(self, snapshot: SnapshotAssertion, folder: Path) -> None:
        self._kept = snapshot.use_extension(SVGImageExtension)
        self._folder = folder
        self.differing: list[str] = []

    async def take(self, pilot: Pilot[None], name: str = "", *sizes: tuple[int, int]) -> None:
        """Picture the screen at each of the sizes (else at all three) as `WIDTHxHEIGHT-name`."""
        for width, height in sizes or SIZES:
            await pilot.resize_terminal(width, height)
            await come_to_rest(pilot)
            label = f"{width}x{height}-{name}".rstrip("-")
            picture = pilot.app.export_screenshot(simplify=True)
            if self._kept(name=label) != picture:
                path = self._folder / f"{label}.svg"
                path.write_text(picture, encoding="utf-8")
                self.differing.append(str(path))


async def come_to_rest(pilot: Pilot[None]) -> None:
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
    await pilot.wait_for_scheduled_animations()
    await pilot.pause()


@pytest.fixture
def album(snapshot: SnapshotAssertion, tmp_path: Path) -> Iterator[Album]:
    """After a wanted change: pytest --snapshot-update."""
    album = Album(snapshot, tmp_path)
    yield album
    assert album.differing == [], "these are not as they were"
