"""The training screen, driven by keys."""

from dataclasses import replace

import numpy as np
import pytest
from textual.widgets import Input, ProgressBar, Sparkline, Static
from tiny_app import CORPUS, ENDLESS, PRESET, chat_is_open, endless_run, new_run, until

from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.dialogs import SaveDialog
from tinychat.tui.screens.notices import HelpDialog
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.widgets.phase_panel import PhasePanel
from tinychat.weights import load
from tinychat.weights.saved_models import Library


def text_of(app: TinychatApp, selector: str) -> str:
    return str(app.screen.query_one(selector, Static).content)


async def test_trains_through_both_phases_saves_and_opens_the_chat(library: Library) -> None:
    run = new_run()
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        assert isinstance(app.screen, TrainingScreen)
        await until(pilot, lambda: app.job)
        assert f"{run.model.n_parameters:,} parameters" in text_of(app, "#card")
        for part in ("weather: 3 facts, 3 dialogues", "vocabulary", "tiny", "seed 0"):
            assert part in text_of(app, "#card")
        await until(pilot, lambda: chat_is_open(app))
        assert app.job is None
    (path,) = library.folder.glob("*.npz")
    assert path.stem == "weather-tiny-seed0"
    saved = load(path)
    assert saved.card.is_finished
    np.testing.assert_array_equal(
        saved.transformer.parameters.values, run.model.transformer.parameters.values
    )


async def test_the_panels_show_the_history(library: Library) -> None:
    run = endless_run(pretrain_epochs=5)
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        progress = run.model.card.progress
        await until(pilot, lambda: progress["tune"].epoch >= 3)
        await pilot.press("space")
        await pilot.pause(0.3)
        first, second = app.screen.query(PhasePanel)
        done = progress["pretrain"].epochs
        assert first.border_subtitle == "epoch 5/5"
        losses = str(first.query_one(".losses", Static).content)
        assert f"first {done[0].loss:.3f}" in losses
        assert f"{done[-1].perplexity:.2f}" in str(first.query_one(".scores", Static).content)
        np.testing.assert_allclose(
            first.query_one(Sparkline).data, np.log([record.loss for record in done]), rtol=1e-12
        )
        assert first.query_one(ProgressBar).percentage == 1
        assert f"epoch {progress['tune'].epoch}/{ENDLESS}" in str(second.border_subtitle)
        assert "left" in str(second.border_subtitle)
        assert second.has_class("active")
        assert not first.has_class("active")
        assert text_of(app, ".prompt") == "› What is rain?" or text_of(app, ".prompt") == "› What is snow?"
        assert text_of(app, ".now")


async def test_pause_holds_the_training_and_lets_it_go_on(library: Library) -> None:
    run = endless_run()
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: run.optimizer.updates > 5)
        await pilot.press("space")
        await pilot.pause(0.2)
        assert "paused" in text_of(app, "#title")
        held = run.optimizer.updates
        await pilot.pause(0.3)
        assert run.optimizer.updates == held
        await pilot.press("space")
        await until(pilot, lambda: run.optimizer.updates > held)
        assert "paused" not in text_of(app, "#title")


async def test_chat_now_stops_saves_and_can_be_resumed(library: Library) -> None:
    run = endless_run()
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: run.model.card.epochs_done > 4)
        await pilot.press("c")
        await until(pilot, lambda: chat_is_open(app))
        notes = " ".join(str(note.content) for note in app.screen.query(".note").results(Static))
        assert "Stopped, and saved" in notes
        assert "Ctrl+T goes on" in notes
    (path,) = library.folder.glob("*.npz")
    model = load(path)
    assert model.card.epochs_done == run.model.card.epochs_done
    resumed = TrainingRun(model, CORPUS)
    assert next(iter(resumed.run())).to_dict()["event"] == "phase_started"


async def test_stopping_while_paused(library: Library) -> None:
    run = endless_run()
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: run.optimizer.updates > 2)
        await pilot.press("space", "c")
        await until(pilot, lambda: chat_is_open(app), seconds=3)


async def test_quitting_in_the_middle_is_quick_and_keeps_the_work(library: Library) -> None:
    run = new_run(tune_epochs=ENDLESS)
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: run.model.card.epochs_done > 4)
        job = app.job
        await pilot.press("q")
        await until(pilot, lambda: app._exit, seconds=5)  # and not when so many epochs are over
        assert job is not None
        assert job.ended.wait(20)  # at once, but for a machine so busy that it was left behind
    (path,) = library.folder.glob("*.npz")
    model = load(path)
    np.testing.assert_array_equal(
        model.transformer.parameters.values, run.model.transformer.parameters.values
    )
    assert model.optimizer is not None
    assert model.optimizer.updates == run.optimizer.updates


async def test_quitting_within_the_first_epoch_saves_nothing(library: Library) -> None:
    run = new_run()
    run.model.card.progress["pretrain"].step = 0
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.job)
        assert app.job is not None
        app.job.toggle_pause()  # before the first epoch can end
        await pilot.press("q")
        await until(pilot, lambda: app._exit)
    assert run.model.card.epochs_done or not list(library.folder.glob("*.npz"))


async def test_saving_a_copy_while_training(library: Library) -> None:
    run = endless_run()
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: run.model.card.epochs_done > 1)
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, SaveDialog))
        app.screen.query_one(Input).value = "a copy"
        await pilot.press("enter")
        await until(pilot, lambda: (library.folder / "a copy.npz").exists())
        assert isinstance(app.screen, TrainingScreen)
    assert load(library.folder / "a copy.npz").optimizer is not None


async def test_training_that_ends_below_a_dialog_opens_the_chat(library: Library) -> None:
    run = endless_run()
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: run.optimizer.updates > 2)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        assert app.job is not None
        app.job.stop()
        await until(pilot, lambda: chat_is_open(app))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
async def test_divergence_is_told_and_the_chat_opens(library: Library) -> None:
    run = new_run()
    run.model.transformer.parameters.values[:] = 1e30
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: chat_is_open(app))
        notes = " ".join(str(note.content) for note in app.screen.query(".note").results(Static))
        assert "diverged" in notes
    assert not list(library.folder.glob("*.npz"))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
async def test_after_a_divergence_nobody_is_told_to_go_on_as_before(library: Library) -> None:
    app = TinychatApp(library, run=new_run(tune_lr=1e30))
    async with app.run_test() as pilot:
        await until(pilot, lambda: chat_is_open(app))
        [note, *_] = (str(note.content) for note in app.screen.query(".note").results(Static))
        assert note.endswith("train anew with a smaller learning rate, --tune-lr.")
        assert app.chat is not None
        assert app.chat.model.card.epochs_done >= 3
    assert len(list(library.folder.glob("*.npz"))) == 1


async def test_a_corpus_of_facts_alone(library: Library) -> None:
    run = TrainingRun.start(replace(CORPUS, dialogues=()), PRESET, 0, pretrain_epochs=100_000)
    app = TinychatApp(library, run=run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.job)
        second = app.screen.query(PhasePanel).last()
        assert "no examples" in str(second.query_one(".speed", Static).content)
        await pilot.press("c")
        await until(pilot, lambda: chat_is_open(app))
        notes = " ".join(str(note.content) for note in app.screen.query(".note").results(Static))
        assert "plain text only" in notes
