"""The chat screen, driven by keys."""

import os
from pathlib import Path

import numpy as np
import pytest
from talk import ask, texts
from textual.widgets import DataTable, Input, Static
from tiny_app import chat_is_open, endless_run, new_run, until

from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.dialogs import LoadDialog, SaveDialog, TrainDialog
from tinychat.tui.screens.notices import HelpDialog
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.widgets import conversation
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights import load, save
from tinychat.weights.saved_models import Library


@pytest.fixture
def app(library: Library, trained_run: TrainingRun) -> TinychatApp:
    return TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))


async def test_answers_as_the_model_does(app: TinychatApp, trained_run: TrainingRun) -> None:
    async with app.run_test() as pilot:
        await pilot.press(*"What", "space", *"is", "space", *"rain?", "enter")
        await pilot.pause()
        await until(pilot, lambda: texts(app, "answer") == ["Rain is water that falls from clouds."])
        await ask(pilot, "Hello!")
        assert texts(app, "question") == ["What is rain?", "Hello!"]
        assert texts(app, "answer")[1] == trained_run.model.ask("Hello!") == "Hello! Ask me about rain."


async def test_the_answer_appears_token_by_token_and_escape_stops_it(
    app: TinychatApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "PACE_S", 0.5)
    async with app.run_test() as pilot:
        app.screen.query_one(Prompt).value = "What is rain?"
        await pilot.press("enter")
        await until(pilot, lambda: texts(app, "answer")[-1].startswith("Rain"))
        assert texts(app, "answer")[-1].endswith("▍")
        await pilot.press("escape")
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        await until(pilot, lambda: not screen.is_answering, seconds=2)
        (answer,) = texts(app, "answer")
        assert "Rain is water that falls from clouds.".startswith(answer)
        assert answer != "Rain is water that falls from clouds."
        assert "stopped" in texts(app, "note")


async def test_a_question_typed_while_it_answers_is_kept(
    app: TinychatApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "PACE_S", 1.0)
    async with app.run_test() as pilot:
        app.screen.query_one(Prompt).value = "What is rain?"
        await pilot.press("enter", *"Hello!", "enter")
        assert app.screen.query_one(Prompt).value == "Hello!"
        assert texts(app, "question") == ["What is rain?"]


async def test_what_is_typed_is_never_markup(app: TinychatApp) -> None:
    questions = ["[b]rain[/b]", "[/oops]", "[$text]", "🎉 你好", "a [link=x", "\\[red]"]
    async with app.run_test() as pilot:
        for n, question in enumerate(questions, start=1):
            await ask(pilot, question)
            assert texts(app, "question") == questions[:n]
            assert sum("new to this model" in note for note in texts(app, "note")) == n


async def test_unknown_words_are_underlined(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        await ask(pilot, "What is quokka?")
        (question,) = app.screen.query(".question").results(Static)
        spans = [(span.start, span.end) for span in question.content.spans if "underline" in str(span.style)]
        assert spans == [(8, 14)]
        assert any("<unk>" in note for note in texts(app, "note"))


async def test_an_empty_or_endless_prompt(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("enter", "space", "enter")
        assert texts(app, "question") == []
        await ask(pilot, "rain " * 100)
        assert any("read without the first" in note for note in texts(app, "note"))
        assert len(texts(app, "answer")) == 1


async def test_history_walks_up_and_down_and_keeps_the_draft(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        await ask(pilot, "What is rain?")
        await ask(pilot, "Hello!")
        prompt = app.screen.query_one(Prompt)
        prompt.value = "draft"
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(prompt.value)
        assert seen == ["Hello!", "What is rain?", "What is rain?", "Hello!", "draft", "draft"]


async def test_clear_empties_the_screen(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        await ask(pilot, "Hello!")
        await pilot.press("ctrl+l")
        await pilot.pause()
        assert texts(app, "question") == texts(app, "answer") == []
        await ask(pilot, "Hello!")
        assert len(texts(app, "answer")) == 1


async def test_save_asks_before_it_replaces(app: TinychatApp, library: Library) -> None:
    async with app.run_test() as pilot:
        for presses in (1, 2):
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(app.screen, SaveDialog))
            app.screen.query_one(Input).value = "mine"
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app.screen, ChatScreen) == (presses == 1)
        assert "there already" in str(app.screen.query_one("#message", Static).content)
        await pilot.press("enter")
        await until(pilot, lambda: chat_is_open(app))
    assert load(library.folder / "mine.npz").ask("Hello!") == "Hello! Ask me about rain."


async def test_a_bad_name_is_refused_in_the_dialog(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, SaveDialog))
        message = app.screen.query_one("#message", Static)
        for name in ("", "a/b", "..", "x" * 200):
            message.update("")
            app.screen.query_one(Input).value = name
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app.screen, SaveDialog), name
            assert "cannot be the name" in str(message.content), name


async def test_load_lists_the_models_and_opens_one(app: TinychatApp, library: Library) -> None:
    other = new_run(pretrain_epochs=1, tune_epochs=1, seed=5)
    for _ in other.run():
        pass
    path = save(other.model, library.folder / "[b]other.npz")
    os.utime(path, (1e9, 1e9))
    (library.folder / "[bold]broken.npz").write_bytes(b"not a model")
    async with app.run_test() as pilot:
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, LoadDialog))
        table = app.screen.query_one(DataTable)
        (row,) = (list(map(str, table.get_row_at(index))) for index in range(table.row_count))
        assert row[0] == "[b]other"
        assert row[2:4] == ["weather", "10 k"]
        assert row[5] == "all"
        told = str(app.screen.query_one("#message", Static).content)
        assert told == "1 file could not be read: [bold]broken.npz"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and app.screen.path.stem == "[b]other")
        assert isinstance(app.screen, ChatScreen)
        np.testing.assert_array_equal(
            app.screen.model.transformer.parameters.values, other.model.transformer.parameters.values
        )


async def test_a_damaged_model_is_told_and_nothing_is_lost(app: TinychatApp, library: Library) -> None:
    path = save(new_run().model, library.folder / "half.npz")
    async with app.run_test() as pilot:
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, LoadDialog))
        path.write_bytes(path.read_bytes()[:1000])
        await pilot.press("enter")
        await until(pilot, lambda: len(app._notifications) == 1)
        assert isinstance(app.screen, ChatScreen)
        assert app.screen.path.stem == "weather"


async def test_an_interrupted_model_goes_on_training(app: TinychatApp, library: Library) -> None:
    run = endless_run()
    events = run.run()
    while run.model.card.epochs_done < 5:
        next(events)
    path = save(run.model, library.folder / "half.npz")
    async with app.run_test() as pilot:
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, LoadDialog))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        assert app.job is not None
        assert app.job.path == path
        await until(pilot, lambda: app.job is not None and app.job.model.card.epochs_done > 5)


@pytest.mark.parametrize("damaged", [[], ["a.npz", "b.npz"]])
async def test_load_without_models(app: TinychatApp, library: Library, damaged: list[str]) -> None:
    library.folder.mkdir()
    for name in damaged:
        (library.folder / name).write_bytes(b"not a model")
    async with app.run_test() as pilot:
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, LoadDialog))
        [told] = (str(text.content) for text in app.screen.query(Static))
        assert told.startswith("2 files could not be read" if damaged else "Nothing is saved yet.")
        await pilot.press("r", "escape")
        assert isinstance(app.screen, ChatScreen)


async def test_train_further_and_anew(library: Library) -> None:
    run = new_run(pretrain_epochs=1, tune_epochs=2)
    for _ in run.run():
        pass
    app = TinychatApp(library, model=run.model, path=Path("weather.npz"))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, TrainDialog))
        app.screen.query_one("#epochs", Input).value = "0"
        await pilot.press("enter")
        assert isinstance(app.screen, TrainDialog)
        app.screen.query_one("#epochs", Input).value = "3"
        await pilot.press("enter")
        await until(pilot, lambda: chat_is_open(app))
        assert run.model.card.progress["tune"].epoch == 5
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, TrainDialog))
        await pilot.click("#anew")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and app.screen.model.card.seed == 1)
    assert {path.stem for path in Path(library.folder).glob("*.npz")} == {
        "weather-tiny-seed0",
        "weather-tiny-seed1",
    }


async def test_help_theme_and_palette(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        for key in ("f1", "question_mark"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, HelpDialog))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        dark = app.theme
        await pilot.press("f2")
        assert app.theme != dark
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {
            "Save the model",
            "Load a model",
            "Train",
            "Clear the conversation",
            "Export the conversation",
        } <= titles
