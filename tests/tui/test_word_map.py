"""The map of words: dots for all, names as far as they fit, and the nearest of a word."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static
from tiny_app import until

from tinychat.drawing.text import token
from tinychat.inspection import nearest_words
from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.word_map import WordMapScreen
from tinychat.tui.widgets.field import Field
from tinychat.weights.saved_models import Library


@pytest.fixture
def app(library: Library, trained_run: TrainingRun) -> TinychatApp:
    return TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))


async def open_map(pilot: Pilot[None]) -> Field:
    app = pilot.app
    await pilot.press("f6")
    await until(pilot, lambda: isinstance(app.screen, WordMapScreen))
    field = app.screen.query_one(Field)
    await until(pilot, lambda: field._found is not None)
    await pilot.pause()
    return field


@pytest.mark.parametrize("size", [(60, 24), (80, 24), (120, 40)])
async def test_words_and_dots(app: TinychatApp, trained_run: TrainingRun, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        field = await open_map(pilot)
        lines = field.render().plain.split("\n")
        assert len(lines) == field.size.height
        assert {len(line) for line in lines} == {field.size.width}
        assert "clouds" in field.render().plain
        title = str(app.screen.query_one("#title", Static).content)
        assert title.startswith(f"{trained_run.model.config.vocab_size} words · ")
        assert len(title) <= 56  # it is not cut on a narrow screen
        await pilot.press("escape")
        assert isinstance(app.screen, ChatScreen)


async def test_the_nearest_of_a_word(app: TinychatApp, trained_run: TrainingRun) -> None:
    near = nearest_words(trained_run.model, "rain", 12)
    async with app.run_test(size=(80, 24)) as pilot:
        field = await open_map(pilot)
        assert not app.screen.query_one("#beside").display
        await pilot.press(*"rain", "enter")
        beside = app.screen.query_one("#near", Static)
        await until(pilot, lambda: str(beside.content))
        lines = str(beside.content).splitlines()
        assert lines[0] == "nearest to rain"
        assert [line.split()[0] for line in lines[2:]] == [token(text) for text in near.tokens]
        assert f"{near.similarity[0]:.2f}" in lines[2]
        names = {part.strip("·") for part in field.render().plain.split()}
        assert "rain" in names
        everywhere = field.render().plain
        await pilot.press("ctrl+l")
        await until(pilot, lambda: field.render().plain != everywhere)
        assert app.screen.query_one(Input).value == ""


async def test_a_word_that_is_not_known_is_told(app: TinychatApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        field = await open_map(pilot)
        everywhere = field.render().plain
        beside, near = app.screen.query_one("#beside"), app.screen.query_one("#near", Static)
        await pilot.press(*"[quokka]", "enter")
        await until(pilot, lambda: beside.display)
        assert "the word '[quokka]'" in str(near.content)
        await pilot.press("backspace", "enter")
        await until(pilot, lambda: not beside.display)
        await pilot.press(*"rain", "enter", *"zork", "enter")
        await until(pilot, lambda: beside.display and "'zork'" in str(near.content))
        await pilot.press("ctrl+l")
        await until(pilot, lambda: not beside.display)
        assert field.render().plain == everywhere  # nothing is left of the rain
