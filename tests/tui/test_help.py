"""A first-time visitor finds everything: each key and each command of a screen is in its help."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console
from talk import ask, chat_of
from textual.app import App
from textual.binding import Binding, BindingType
from tiny_app import endless_run, new_run, until

from tinychat.corpus import Turn
from tinychat.training.run import TrainingRun
from tinychat.tui import help as help_texts
from tinychat.tui.app import TinychatApp
from tinychat.tui.job import TrainingJob, talking_copy
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.curves import CurvesScreen
from tinychat.tui.screens.notices import HelpDialog, laid_out
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.screens.word_map import WordMapScreen
from tinychat.tui.widgets.inside import Inside
from tinychat.tui.widgets.knob import Knob
from tinychat.tui.widgets.prompt import Prompt
from tinychat.tui.widgets.speaking import Speaking
from tinychat.weights.saved_models import Library

SCREENS = (TrainingScreen, ChatScreen, CurvesScreen, WordMapScreen)
NAMES = {
    "escape": "Escape",
    "space": "Space",
    "home": "Home",
    "end": "End",
    "up": "Up",
    "down": "Down",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "question_mark": "?",
}


def keys(*bindings: Iterable[BindingType]) -> list[str]:
    """As the help names them."""
    found = [binding for some in bindings for binding in some]
    assert all(isinstance(binding, Binding) for binding in found)
    names = [key for binding in found for key in binding.key.split(",") if isinstance(binding, Binding)]
    return [NAMES.get(name, "+".join(part.capitalize() for part in name.split("+"))) for name in names]


def is_named(key: str, text: str) -> bool:
    """On its own: no part of a word, nor of another key."""
    return re.search(rf"(?<![\w+]){re.escape(key)}(?!\w)", text) is not None


@pytest.mark.parametrize("screen", SCREENS)
def test_every_key_of_a_screen_is_in_its_help(screen: type[ChatScreen]) -> None:
    for key in keys(screen.BINDINGS, TinychatApp.BINDINGS):
        assert is_named(key, screen.GUIDE), key


@pytest.mark.parametrize("part", [Prompt, Speaking, Knob, Inside])
def test_every_key_of_a_panel_is_in_the_help_of_the_chat(part: type[Inside]) -> None:
    for key in keys(part.BINDINGS):
        if key in "1234":
            assert re.search(rf"^{key} ", help_texts.CHAT, re.MULTILINE)
        else:
            assert is_named(key, help_texts.CHAT), key


async def test_every_command_of_every_screen_is_in_its_help(
    library: Library, trained_run: TrainingRun
) -> None:
    model = talking_copy(trained_run.model)
    model.card.taught = [Turn("What is hail?", "Hail is ice.")]
    app = TinychatApp(library, model=model, path=Path("weather.npz"))
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "Hello!")
        assert offered(app) > 12
        live = ChatScreen(model, Path("weather.npz"), "", "epoch 1")
        for screen in (
            live,
            CurvesScreen(model.card),
            WordMapScreen(model),
            TrainingScreen(TrainingJob(new_run(), Path("unused.npz"), lambda _: None)),
        ):
            app.push_screen(screen)
            await until(pilot, lambda: app.screen is screen)  # noqa: B023
            assert offered(app) >= 4
            await pilot.press("f1")
            await until(pilot, lambda: isinstance(app.screen, HelpDialog))
            await pilot.press("escape")


def offered(app: App[None]) -> int:
    """How many commands there are; each is in the help by its name, or by the key that does the same."""
    screen = app.screen
    text = getattr(screen, "GUIDE")  # noqa: B009
    by_key = {
        binding.tooltip.partition(": ")[0]: keys([binding])
        for binding in screen.BINDINGS
        if isinstance(binding, Binding)
    }
    commands = list(app.get_system_commands(screen))
    for command in commands:
        found = [key for key in by_key.get(command.title, []) if is_named(key, text)]
        assert found or command.title.lower() in text.lower(), command.title
    return len(commands)


async def test_a_key_in_the_footer_is_in_the_help(library: Library, trained_run: TrainingRun) -> None:
    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, "Hello!")
        shown = [active.binding for active in chat_of(app).active_bindings.values() if active.binding.show]
        assert {"Teach", "Inside", "Speaking", "Help"} <= {binding.description for binding in shown}
        for key in keys(shown):
            assert is_named(key, help_texts.CHAT), key


async def test_the_footer_shows_what_fits_and_always_the_help(
    library: Library, trained_run: TrainingRun
) -> None:
    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    async with app.run_test(size=(100, 20)) as pilot:
        for pressed in ((), ("f3",), ("escape", *"Hello!", "enter")):
            await pilot.press(*pressed)
            await until(pilot, lambda: not chat_of(app).is_answering)
            for width in (30, 60, 72, 80, 100):
                await pilot.resize_terminal(width, 20)
                await pilot.wait_for_scheduled_animations()
                await until(pilot, lambda: app.screen.query("FooterKey"))  # it is drawn anew
                shown = {key.action: key for key in app.screen.query("FooterKey")}
                assert {"app.help", "quit"} <= set(shown)
                assert ("back" in shown) is (pressed == ("f3",))
                assert max(key.region.right for key in shown.values()) <= width
                if "Hello!" in "".join(pressed):
                    assert ("app.load" in shown) is (width > 72)


async def test_what_has_no_room_in_the_footer_is_in_the_list_of_commands(
    library: Library, trained_run: TrainingRun
) -> None:
    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    async with app.run_test(size=(60, 20)) as pilot:
        await ask(pilot, "Hello!")
        titles = {command.title for command in app.get_system_commands(app.screen)}
        named = [b for b in ChatScreen.BINDINGS if isinstance(b, Binding) and ": " in b.tooltip]
        wanted = {binding.tooltip.partition(": ")[0] for binding in named}
        assert wanted - titles == {"Continue", "New copy", "Take back"}  # which would do nothing now
        assert "Tint" in titles


@pytest.mark.parametrize(
    ("width", "last"),
    [
        (60, ["Ctrl+P           [b]all[/b], and more"]),
        (29, ["Ctrl+P           [b]all[/b],", "                 and more"]),
    ],
)
def test_the_help_keeps_its_columns_however_narrow_the_screen(width: int, last: list[str]) -> None:
    console = Console(width=width)
    with console.capture() as drawn:
        console.print(
            laid_out(
                "It learns, and\nthen it talks.\n\n"
                "F1, ?            this help\nCtrl+P           [b]all[/b], and\n                 more"
            )
        )
    wanted = ["It learns, and then it talks.", "", "F1, ?            this help", *last]
    assert [line.rstrip() for line in drawn.get().splitlines()] == wanted


async def test_the_list_of_keys_shows_no_garbled_help(library: Library, trained_run: TrainingRun) -> None:
    """Textual's panel of keys takes a screen's HELP for Markdown, and would join its lines."""
    app = TinychatApp(library, model=trained_run.model, path=Path("weather.npz"))
    async with app.run_test(size=(120, 30)) as pilot:
        app.action_show_help_panel()
        await pilot.pause()
        assert not app.screen.query_one("HelpPanel").has_class("-show-help")


async def test_the_footer_of_a_training_fits_too(library: Library) -> None:
    app = TinychatApp(library, run=endless_run())
    async with app.run_test(size=(80, 20)) as pilot:
        await until(pilot, lambda: app.job is not None)
        for width in (40, 60, 80):

            def is_fitting(width: int = width) -> bool:
                shown = {key.action: key for key in app.screen.query("FooterKey")}
                return (
                    {"app.help", "quit", "pause", "app.copy_model"} <= set(shown)
                    and max(key.region.right for key in shown.values()) <= width
                    and ("app.save" in shown) is (width == 80)
                )

            await pilot.resize_terminal(width, 20)
            await until(pilot, is_fitting)  # it is drawn anew
