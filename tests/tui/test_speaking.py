"""The panel that says how the model speaks, and what one does in a conversation by keys."""

import json
from pathlib import Path

import pytest
from talk import answered, ask, chat_of, texts
from textual.widgets import Input, Static
from tiny_app import until

from tinychat.generation.beam import Beams
from tinychat.generation.sampling import Sampling
from tinychat.training.run import TrainingRun
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.export import ExportDialog
from tinychat.tui.widgets import conversation
from tinychat.tui.widgets.prompt import Prompt
from tinychat.tui.widgets.speaking import Speaking
from tinychat.weights.saved_models import Library


@pytest.fixture
def app(library: Library, trained_run: TrainingRun) -> TinychatApp:
    return TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))


async def test_knobs_set_what_the_session_does(app: TinychatApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        session, panel = chat_of(app).conversation.session, app.screen.query_one(Speaking)
        assert session.sampling == Sampling()
        assert not panel.display
        await pilot.press("f3", *["right"] * 8, "down", "left", "left")
        assert panel.display
        assert session.sampling == Sampling(0.8, top_k=50)
        assert str(app.screen.query_one("#manner", Static).content) == "each word is drawn"
        await pilot.press("home", "up", "home", "left")
        assert session.sampling == Sampling()
        assert {name for name, knob in panel.knobs.items() if knob.has_class("idle")} == {
            *("top-k", "top-p", "min-p", "seed", "length-penalty")
        }
        panel.knobs["beams"].focus()
        await pilot.press("right", "right", "down", "right")
        assert session.sampling == Beams(3, 0.8)
        await pilot.press("down", "right")
        assert chat_of(app).conversation.pace_s == 0
        await pilot.press("escape")
        assert not panel.display
        assert app.screen.query_one(Prompt).has_focus


async def test_a_click_on_the_bar_of_a_knob_sets_it(app: TinychatApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f3")
        knob = app.screen.query_one(Speaking).knobs["temperature"]
        await until(pilot, lambda: knob.size.width)
        bar = knob.gutter.left + knob.render().plain.index("─")
        for column, value in ((8, 2.0), (4, 1.0), (9, 1.0), (-1, 1.0), (0, 0.0), (5, 1.2)):
            await pilot.click(knob, offset=(bar + column, 0))
            assert (knob.value, knob.has_focus) == (value, True)
        assert chat_of(app).conversation.session.sampling == Sampling(1.2)


async def test_what_is_talked_about_is_never_hidden_by_a_line_that_fills_the_screen(app: TinychatApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        for key, is_offered in (("", False), ("f4", True), ("f3", False)):
            if key:
                await pilot.press(key)
            offered = {command.title for command in app.get_system_commands(app.screen)}
            assert ("Maximize" in offered) is is_offered


async def test_every_setting_of_the_panel_is_allowed(app: TinychatApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f3", "right")
        panel = app.screen.query_one(Speaking)
        for name, knob in panel.knobs.items():
            for place in range(min(20, len(knob.setting.values))):
                knob._go_to(place)
                assert panel.sampling, name  # raises for what cannot be
            knob.action_reset()
            if name == "temperature":
                knob._go_to(10)


async def test_a_change_acts_on_the_next_token(app: TinychatApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "PACE_S", 2.0)
    async with app.run_test(size=(120, 40)) as pilot:
        app.screen.query_one(Prompt).value = "What is rain?"
        await pilot.press("enter", "f3")
        reply = chat_of(app).conversation.session.last
        assert reply is not None
        assert reply.sampling == Sampling()
        await pilot.press("right")
        assert not reply.is_complete
        assert reply.sampling == Sampling(0.1)
        await pilot.press("escape")  # stops the answer, and leaves the panel
        await answered(pilot)
        assert app.screen.query_one(Speaking).display


@pytest.mark.parametrize(("width", "is_beside"), [(80, False), (120, True)])
async def test_on_a_narrow_screen_the_panel_takes_the_place_of_the_talk(
    app: TinychatApp, width: int, is_beside: bool
) -> None:
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.press("f3")
        assert app.screen.query_one("#column").display is is_beside
        assert app.screen.query_one(Speaking).size.width > 30
        await pilot.press("f3")
        assert app.screen.query_one("#column").display


async def test_regenerate_edit_and_copy(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        await ask(pilot, "What is rain?")
        session = chat_of(app).conversation.session
        await pilot.press("ctrl+r")
        await answered(pilot)
        assert texts(app, "question") == ["What is rain?"]
        assert len(session.turns) == 1
        await pilot.press("ctrl+e")
        assert app.screen.query_one(Prompt).value == "What is rain?"
        await pilot.press("escape")
        assert app.screen.query_one(Prompt).value == ""
        await pilot.press("ctrl+e", *["backspace"] * 5, *"snow?", "enter")
        await answered(pilot)
        assert texts(app, "question") == ["What is snow?"]
        assert [turn.user for turn in session.turns] == ["What is snow?"]
        await pilot.press("ctrl+y")
        assert app.clipboard == texts(app, "answer")[0] == "Snow is rain that froze."
        fill = session.fill
        assert f"context {fill}/32" in str(app.screen.query_one("#title", Static).content)


async def test_what_was_being_typed_waits_behind_an_edit(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        await ask(pilot, "What is rain?")
        prompt = app.screen.query_one(Prompt)
        await pilot.press(*"And", "ctrl+e")
        assert prompt.value == "What is rain?"
        await pilot.press("escape")
        assert prompt.value == "And"
        await pilot.press("ctrl+e", "enter")
        await answered(pilot)
        assert texts(app, "question") == ["What is rain?"]
        assert (prompt.value, prompt.cursor_position) == ("And", 3)


async def test_an_edited_line_that_is_no_command_stays_to_be_mended(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        await ask(pilot, "What is rain?")
        prompt = app.screen.query_one(Prompt)
        await pilot.press(*"And", "ctrl+e")
        prompt.value = "/What is snow?"
        await pilot.press("enter")
        await until(pilot, lambda: prompt.value == "/What is snow?")
        await pilot.press("home", "delete", "enter")
        await answered(pilot)
        assert texts(app, "question") == ["What is snow?"]  # in the place of the first
        assert prompt.value == "And"
        await pilot.press("ctrl+e")
        prompt.value = "/undo"
        await pilot.press("enter")
        await until(pilot, lambda: prompt.value == "And")
        assert not chat_of(app).conversation.is_editing


async def test_keys_that_would_do_nothing_are_not_offered(app: TinychatApp) -> None:
    async with app.run_test() as pilot:
        offered = {binding.binding.action for binding in app.screen.active_bindings.values()}
        assert not offered & {"regenerate", "edit", "go_on"}
        await pilot.press("ctrl+r", "ctrl+e", "ctrl+g", "ctrl+y")
        assert texts(app, "question") == []
        await ask(pilot, "Hello!")
        offered = {binding.binding.action for binding in app.screen.active_bindings.values()}
        assert offered >= {"regenerate", "edit"}
        assert "go_on" not in offered


async def test_a_stopped_answer_goes_on(app: TinychatApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "PACE_S", 2.0)
    async with app.run_test() as pilot:
        app.screen.query_one(Prompt).value = "What is rain?"
        await pilot.press("enter", "escape")
        await answered(pilot)
        assert texts(app, "stopped") == ["stopped"]
        chat_of(app).conversation.pace_s = 0
        await pilot.press("ctrl+g")
        await answered(pilot)
        assert texts(app, "answer") == ["Rain is water that falls from clouds."]
        assert texts(app, "stopped") == []
        assert [turn.assistant for turn in chat_of(app).conversation.session.turns] == texts(app, "answer")


async def test_export(app: TinychatApp, tmp_path: Path) -> None:
    async with app.run_test() as pilot:
        await ask(pilot, "What is rain?")
        for name in ("talk.md", "talk.jsonl", "talk.md"):
            await pilot.press("f8")
            await until(pilot, lambda: isinstance(app.screen, ExportDialog))
            app.screen.query_one(Input).value = str(tmp_path / name)
            await pilot.press("enter")
            await pilot.pause()
        assert "there already" in str(app.screen.query_one("#message", Static).content)
    assert "**User:** What is rain?" in (tmp_path / "talk.md").read_text()
    assert json.loads((tmp_path / "talk.jsonl").read_text())["messages"][1]["role"] == "assistant"
