"""Pictures of both screens, compared to the letter. After a wanted change: pytest --snapshot-update."""

from pathlib import Path

from album import SIZES, Album
from talk import ask
from tiny_app import CORPUS, PRESET, until

from tinychat.presets import PRETRAIN, TUNE
from tinychat.training.events import EpochDone, PhaseDone, PhaseStarted, SampleDrawn
from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.job import TrainingJob, TrainingNews
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.widgets.inside import Inside
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights.saved_models import Library


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


async def test_training_screen(library: Library, album: Album) -> None:
    """Halfway through the second phase."""
    run = TrainingRun.start(CORPUS, PRESET, epochs=40)
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
    for size in SIZES:  # after another size the progress bar would be off by half a place
        app = TinychatApp(library)
        async with app.run_test(size=size) as pilot:
            screen = TrainingScreen(TrainingJob(run, Path("unused.npz"), lambda _: None))
            await app.push_screen(screen)
            for event in events:
                screen.show(TrainingNews(event))
            await pilot.pause(0.3)  # epochs that follow fast are drawn together
            await album.take(pilot, "", size)


async def test_chat_screen(library: Library, trained_run: TrainingRun, album: Album) -> None:
    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    async with app.run_test(size=SIZES[-1]) as pilot:
        app.screen.query_one(Prompt).cursor_blink = False
        for question in ("What is rain?", "Where is [my] umbrella?", "Hello!"):
            await ask(pilot, question)
        await album.take(pilot, "dark")
        await album.take(pilot, "narrow", (60, 20))
        await pilot.press("f4")
        await until(pilot, lambda: app.screen.query_one(Inside).insight is not None)
        await album.take(pilot, "narrow-inside", (60, 20))
        await pilot.press("escape", "f2")
        await album.take(pilot, "light")
