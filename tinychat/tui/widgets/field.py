"""The vocabulary as a map: words that were used alike lie near each other."""

import numpy as np
from textual.content import Content
from textual.widget import Widget

from tinychat.drawing.scatter import scatter
from tinychat.drawing.text import token
from tinychat.inspection import EmbeddingMap, Neighbours

_FAINT = "$foreground 35%"


class Field(Widget):
    """Dots for all tokens, and as many names as fit: of a chosen word and its neighbours first."""

    def __init__(self) -> None:
        super().__init__()
        self._found: EmbeddingMap | None = None
        self._near: Neighbours | None = None

    def show(self, found: EmbeddingMap, near: Neighbours | None) -> None:
        self._found, self._near = found, near
        self.refresh()

    def render(self) -> Content:
        width, height = self.size
        if self._found is None or width < 10 or height < 3:
            return Content("")
        near = [] if self._near is None else [self._near.id, *self._near.ids.tolist()]
        rim_inwards = np.argsort(-(self._found.points**2).sum(axis=1), kind="stable").tolist()
        wanted = near or rim_inwards
        names = [token(text) for text in self._found.tokens]
        parts: list[tuple[str, str]] = []
        for line in scatter(self._found.points, names, wanted, width, height):
            for part in line:
                style = _FAINT
                if part.is_name:
                    style = "bold $accent" if near[:1] == [part.index] else "$primary" if near else ""
                elif part.index in near:
                    style = "$primary"
                parts.append((part.text, style))
            parts.append(("\n", ""))
        return Content.assemble(*parts[:-1])
