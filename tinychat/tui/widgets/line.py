"""A line to type in."""

from textual import events
from textual.widgets import Input


class Line(Input):
    """Several lines that are pasted become one, where `Input` would keep the first alone."""

    def _on_paste(self, event: events.Paste) -> None:
        """Comes before the same of `Input`, which puts the text in."""
        event.text = " ".join(line.strip() for line in event.text.splitlines() if line.strip())
