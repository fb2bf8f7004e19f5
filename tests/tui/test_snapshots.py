"""Pictures of both screens, compared to the letter. After a wanted change: pytest --snapshot-update."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from tiny_app import CORPUS, PRESET

from tinychat.presets import PRETRAIN, TUNE
from tinychat.training.events import EpochDone, PhaseDone, PhaseStarted, SampleDrawn
from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.job import TrainingJob, TrainingNews
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.widgets import conversation
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights.saved_models import Library

SIZES = [(60, 24), (80, 24), (120, 40)]


def epochs(phase: str, n: int, total: int) -> list[EpochDone]:
    """A falling curve whose figures do not depend on the machine."""
    return [
        EpochDone(
            phase=phase,
            epoch=epoch,
            epochs=total,
            loss=5.0 * 0.9**epoch,
            perplexity=1.25 + 100 / epoch,
            accuracy=1 - 0.9**epoch,
            grad_norm=12.0 / epoch,
            tokens_per_s=5000.0,
            seconds_left=0.25 * (total - epoch),
        )
        for epoch in range(1, n + 1)
    ]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_training_screen(snap_compare, library: Library, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    run = TrainingRun.start(CORPUS, PRESET, epochs=40)

    async def halfway_through_the_second_phase(pilot: Pilot[None]) -> None:
        screen = TrainingScreen(TrainingJob(run, Path("unused.npz"), lambda _: None))
        await pilot.app.push_screen(screen)
        events = [
            PhaseStarted(PRETRAIN, 40, 3, 15, 0.01),
            *epochs(PRETRAIN, 40, 40),
            PhaseDone(PRETRAIN, 40, 0.07, 10.0),
            PhaseStarted(TUNE, 40, 3, 40, 0.01),
            *epochs(TUNE, 18, 40),
            SampleDrawn(TUNE, 0, "What is rain?", "snow snow. falls falls Hello"),
            SampleDrawn(TUNE, 8, "What is rain?", "Rain is froze."),
            SampleDrawn(TUNE, 16, "What is rain?", "Rain is water that [b]falls[/b] from clouds."),
        ]
        for event in events:
            screen.show(TrainingNews(event))
        await pilot.pause(0.3)  # epochs that follow fast are drawn together

    assert snap_compare(TinychatApp(library), terminal_size=size, run_before=halfway_through_the_second_phase)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_chat_screen(  # type: ignore[no-untyped-def]
    snap_compare,
    library: Library,
    trained_run: TrainingRun,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    theme: str,
) -> None:
    monkeypatch.setattr(conversation, "PACE_S", 0)

    async def after_three_questions(pilot: Pilot[None]) -> None:
        if theme == "light":
            await pilot.press("f2")
        prompt = pilot.app.screen.query_one(Prompt)
        prompt.cursor_blink = False
        for question in ("What is rain?", "Where is [my] umbrella?", "Hello!"):
            prompt.value = question
            await pilot.press("enter")
            await pilot.pause()
            screen = pilot.app.screen
            assert isinstance(screen, ChatScreen)
            while screen.is_answering:
                await pilot.pause(0.01)
        await pilot.pause()

    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    assert snap_compare(app, terminal_size=size, run_before=after_three_questions)
