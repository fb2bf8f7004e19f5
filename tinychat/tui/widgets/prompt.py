"""The line to type in, with a history like a shell's."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from tinychat.tui.widgets.line import Line


class Prompt(Line):
    """Up and down walk through what was sent before; what was being typed is kept below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "earlier", "Earlier", show=False, id="prompt.earlier"),
        Binding("down", "later", "Later", show=False, id="prompt.later"),
    ]

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False)
        self._history: list[str] = []
        self._place = 0
        self._draft = ""

    async def _on_key(self, event: events.Key) -> None:
        """A question mark that nothing stands before asks for help."""
        if event.character == "?" and not self.value:
            event.prevent_default()
            event.stop()
            await self.run_action("app.help")

    def take(self) -> str:
        """Empty the line and remember what stood there."""
        text = self.value.strip()
        if text and self._history[-1:] != [text]:
            self._history.append(text)
        self._place = len(self._history)
        self.value = self._draft = ""
        return text

    def write(self, text: str) -> None:
        """Put a text into the line in place of what stands there."""
        self.value = text
        self.cursor_position = len(text)

    def action_earlier(self) -> None:
        self._go_to(self._place - 1)

    def action_later(self) -> None:
        self._go_to(self._place + 1)

    def _go_to(self, place: int) -> None:
        if not 0 <= place <= len(self._history):
            return
        if self._place == len(self._history):
            self._draft = self.value
        self._place = place
        self.write(self._draft if place == len(self._history) else self._history[place])
