"""A run small enough to be watched in a test, and an app around it."""

from collections.abc import Callable, Iterator
from time import sleep
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tinychat.config import TrainConfig
from tinychat.corpus import Corpus, Turn
from tinychat.presets import Preset
from tinychat.training.events import EpochDone, Event
from tinychat.training.run import TrainingRun
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.widgets.prompt import Prompt

CORPUS = Corpus(
    name="weather",
    facts=("Rain falls from clouds.", "Snow is frozen rain.", "Wind moves the clouds."),
    dialogues=(
        (Turn("What is rain?", "Rain is water that falls from clouds."),),
        (Turn("What is snow?", "Snow is rain that froze."),),
        (Turn("Hello!", "Hello! Ask me about rain."),),
    ),
    source="weather",
)
PRESET = Preset(
    name="tiny",
    summary="for tests",
    model={"n_layers": 1, "d_model": 32, "d_ff": 64, "head_dim": 32, "max_seq_len": 32},
    pretrain=TrainConfig(epochs=3, lr=0.01),
    tune=TrainConfig(epochs=40, lr=0.01),
)
ENDLESS = 100_000
"""Epochs that no test sees the end of."""


def new_run(seed: int = 0, **changes: Any) -> TrainingRun:
    return TrainingRun.start(CORPUS, PRESET, seed, **changes)


class Unhurried(TrainingRun):
    """Rests after every epoch: the pilot, who waits for the program to come to rest, would wait in vain."""

    def run(self) -> Iterator[Event]:
        for event in super().run():
            yield event
            if isinstance(event, EpochDone):
                sleep(0.06)


def endless_run(**changes: Any) -> TrainingRun:
    return Unhurried.start(CORPUS, PRESET, tune_epochs=ENDLESS, **changes)


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 20) -> None:
    """Let the app go on until `condition` holds."""
    for _ in range(int(seconds / 0.02)):
        await pilot.pause(0.02)
        if condition():
            return
    raise AssertionError(f"not within {seconds} s")


def chat_is_open(app: App[None]) -> bool:
    """The chat screen is there with all its parts, and it listens."""
    return isinstance(app.screen, ChatScreen) and any(prompt.has_focus for prompt in app.screen.query(Prompt))
