"""A line to type in."""

from textual import events
from textual.widgets import Input


class Line(Input):
    """Several lines that are pasted become one, where `Input` would keep the first alone, or their breaks."""

    ALLOW_MAXIMIZE = False  # what is typed about would be hidden

    def _on_paste(self, event: events.Paste) -> None:
        """From the terminal. It comes before the same of `Input`, which puts the text in."""
        event.text = _joined(event.text)

    def action_paste(self) -> None:
        """From the app's own clipboard."""
        self.replace(_joined(self.app.clipboard), *self.selection)


def _joined(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
