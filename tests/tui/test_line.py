"""What is pasted into a line."""

from pathlib import Path

from talk import ask
from textual import events
from textual.widgets import Input
from tiny_app import until

from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.teach import TeachDialog
from tinychat.weights.saved_models import Library

PASTED = {
    "Rain falls.\n  And snow?\r\n\r\nAnd hail?\n": "Rain falls. And snow? And hail?",
    "one  line": "one  line",
    "\n \n": "",
    "": "",
}
"""What is pasted -> what stands in the line then."""


async def test_lines_that_are_pasted_become_one(library: Library, trained_run: TrainingRun) -> None:
    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    async with app.run_test() as pilot:
        await ask(pilot, "Hello!")
        for is_teaching in (False, True):
            if is_teaching:
                await pilot.press("ctrl+n")
                await until(pilot, lambda: isinstance(app.screen, TeachDialog))
            line = app.screen.query_one(Input)
            assert line.has_focus
            for pasted, shown in PASTED.items():
                line.value = ""
                line.post_message(events.Paste(pasted))
                await pilot.press("!")
                assert line.value == f"{shown}!"
                app.copy_to_clipboard(pasted)
                await pilot.press("shift+home", "ctrl+v", ".")
                assert line.value == f"{shown}."
