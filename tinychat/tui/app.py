"""The program: its keys and commands, and how it is left.

What is not seen on the first frame is imported where it is used.
"""

import asyncio
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tinychat.cli import INTERRUPTED
from tinychat.tui.themes import DARK, LIGHT
from tinychat.tui.training import TrainingApp

if TYPE_CHECKING:
    from tinychat.model import Model

LONGEST_QUIT_S = 0.4
"""A job that has not ended by then is left behind; its thread looks at its switches after every update. So is
what the program was to begin with."""
LONGEST_WITHOUT_TERMINAL_S = 5
"""Whole seconds that a program whose terminal was closed has for saving; then the system ends it."""


class TinychatApp(TrainingApp):
    """Begins with the training of a run, or with a chat with a model."""

    TITLE = "tinychat"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", priority=True, id="app.quit"),
        Binding("f2", "light_or_dark", "Light or dark", show=False, id="app.theme"),
    ]

    async def on_mount(self) -> None:
        """A terminal that is closed, or a kill: leave as by the key, so that nothing is lost or left raw."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):  # not everywhere
                number = getattr(signal, name)
                if signal.getsignal(number) != signal.SIG_IGN:
                    asyncio.get_running_loop().add_signal_handler(number, self._interrupt)

    def _interrupt(self) -> None:
        if not os.isatty(2):  # Textual writes there, and waits for ever once the terminal is gone
            signal.alarm(LONGEST_WITHOUT_TERMINAL_S)
        self.run_worker(self.leave(INTERRUPTED))

    async def open_chat(self, model: "Model", path: Path, note: str = "") -> None:
        """Talk with `model`, which is kept in `path`; `note` is said first, or what it has yet to learn."""
        from tinychat.tui.job import rest_text
        from tinychat.tui.screens.chat import ChatScreen

        await self._show(ChatScreen(model, path, note or rest_text(model.card)))

    def action_help(self) -> None:
        if text := getattr(self.screen, "GUIDE", ""):
            from tinychat.tui.screens.notices import HelpDialog

            self.push_screen(HelpDialog(text))

    def action_curves(self) -> None:
        """The history of the model on the screen."""
        from tinychat.tui.screens.curves import CurvesScreen

        model = self.job.model if self.job else self.chat.model if self.chat else None
        if model is None or not model.card.progress:
            self.notify("No training of this model is known.", timeout=3)
        else:
            self.push_screen(CurvesScreen(model.card))

    def action_word_map(self) -> None:
        from tinychat.tui.screens.word_map import WordMapScreen

        if self.chat is not None:
            self.push_screen(WordMapScreen(self.chat.model))

    def action_light_or_dark(self) -> None:
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    async def action_quit(self) -> None:
        await self.leave()

    async def leave(self, return_code: int = 0) -> None:
        """End the program; what a job has learnt since its first epoch is saved first."""
        if self.quitting:
            return
        self.quitting = True
        if self.job is not None:
            self.job.stop()
            await asyncio.to_thread(self.job.ended.wait, LONGEST_QUIT_S)
        elif self.opener is not None:
            await asyncio.to_thread(self.opener.join, LONGEST_QUIT_S)
        self.exit(return_code=return_code)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The main screen knows which of its keys would do something now."""
        screen = self.main_screen
        return True if screen is None else screen.check_action(action, parameters)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        yield SystemCommand("Light or dark", "Switch between the two themes", self.action_light_or_dark)
        for binding in screen.BINDINGS:  # those of which a tooltip says `what: how`
            if isinstance(binding, Binding) and ": " in binding.tooltip:
                if screen.check_action(binding.action.removeprefix("app."), ()) is not True:
                    continue
                name, _, about = binding.tooltip.partition(": ")
                yield SystemCommand(name, about, partial(screen.run_action, binding.action))
