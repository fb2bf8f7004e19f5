"""Talking with a copy of the model while it trains."""

import numpy as np
import pytest
from talk import ask, chat_of, texts
from textual.widgets import Static
from tiny_app import CORPUS, chat_is_open, endless_run, new_run, until

from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.job import progress_text, rest_text, talking_copy
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.widgets.phase_panel import PhasePanel
from tinychat.weights.saved_models import Library


async def test_a_copy_answers_while_the_training_goes_on(library: Library) -> None:
    run = endless_run()
    app = TinychatApp(library, run=run)
    progress = run.model.card.progress["tune"]
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: progress.epoch > 3)
        await pilot.press("t")
        await until(pilot, lambda: chat_is_open(app))
        before, epoch = run.optimizer.updates, progress.epoch
        screen = chat_of(app)
        assert "instruction tuning, epoch" in str(screen.query_one("#title", Static).content)
        weights = screen.model.transformer.parameters.values
        copy = weights.copy()
        await ask(pilot, "What is rain?")
        assert texts(app, "answer")[0]
        assert any("the training goes on" in note for note in texts(app, "note"))
        await until(pilot, lambda: progress.epoch > epoch)
        assert run.optimizer.updates > before
        np.testing.assert_array_equal(weights, copy)
        assert screen.model.optimizer is None
        assert app.job is not None

        first = screen.learnt
        await pilot.press("f9")
        await until(pilot, lambda: chat_of(app).learnt != first)
        assert texts(app, "question") == ["What is rain?"]
        assert (screen.model.transformer.parameters.values != copy).any()

        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        done = len(app.screen.query(PhasePanel).last()._records)
        assert done >= epoch  # it was kept up to date behind the chat
        await pilot.press("t")
        await until(pilot, lambda: app.screen is screen)
        assert texts(app, "question") == ["What is rain?"]


async def test_the_conversation_stays_when_the_training_ends(library: Library) -> None:
    run = endless_run()
    app = TinychatApp(library, run=run)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: run.model.card.progress["tune"].epoch > 3)
        await pilot.press("t")
        await until(pilot, lambda: chat_is_open(app))
        screen = chat_of(app)
        await ask(pilot, "What is rain?")
        assert app.job is not None
        app.job.stop()
        await until(pilot, lambda: app.job is None and screen.learnt == "")
        assert app.screen is screen
        assert screen.model is run.model
        assert any("Stopped, and saved" in note for note in texts(app, "note"))
        assert any("before its end: Ctrl+T goes on" in note for note in texts(app, "note"))
        await ask(pilot, "What is snow?")
        assert texts(app, "question") == ["What is rain?", "What is snow?"]
        offered = {binding.binding.action for binding in app.screen.active_bindings.values()}
        assert "app.load" in offered
        assert "app.copy_model" not in offered


async def test_a_paused_training_can_be_talked_with_and_the_end_leads_to_the_same_chat(
    library: Library,
) -> None:
    run = endless_run()
    app = TinychatApp(library, run=run)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: run.optimizer.updates > 2)
        await pilot.press("space", "t")
        await until(pilot, lambda: chat_is_open(app))
        screen = chat_of(app)
        offered = {binding.binding.action for binding in app.screen.active_bindings.values()}
        assert "app.load" not in offered
        assert "app.copy_model" in offered
        assert any("the training is paused" in note for note in texts(app, "note"))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        await pilot.press("c")
        await until(pilot, lambda: app.screen is screen and app.job is None)
        assert len(app.screen_stack) == 1


def test_a_copy_is_of_one_moment(trained_run: TrainingRun) -> None:
    copy = talking_copy(trained_run.model)
    assert copy.transformer.parameters.values is not trained_run.model.transformer.parameters.values
    assert copy.card.progress["tune"] is not trained_run.model.card.progress["tune"]
    assert copy.ask("What is rain?") == trained_run.model.ask("What is rain?")
    assert progress_text(copy.card) == "instruction tuning, epoch 40 of 40"
    assert progress_text(TrainingRun.start(CORPUS, trained_run.model.recipe, 0).model.card) == "untrained"


@pytest.mark.parametrize(
    ("epochs", "told"),
    [(0, ""), (1, ", 42 epochs before its end"), (42, ", 1 epoch before its end"), (43, "")],
)
def test_only_of_a_training_that_was_interrupted_one_hears_how_it_goes_on(epochs: int, told: str) -> None:
    run = new_run()
    events = run.run()
    while run.model.card.epochs_done < epochs:
        next(events)
    wanted = f"Its training was interrupted{told}: Ctrl+T goes on." if told else ""
    assert rest_text(run.model.card) == wanted
