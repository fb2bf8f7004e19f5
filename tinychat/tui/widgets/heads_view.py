"""All heads at a glance: a small picture of every map, layers downwards, heads across."""

import numpy as np
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from tinychat.core.parameters import Floats
from tinychat.tui.insight import Insight
from tinychat.tui.tints import warmth
from tinychat.tui.widgets.attention_view import name

_LARGEST, _SMALLEST = 16, 4
"""Side of a picture, in points; two points stand above each other in a character."""


class HeadsView(Static):
    """In every picture a row is a token that looks, from the top, and a column one that is looked at."""

    def __init__(self) -> None:
        super().__init__(markup=False)

    def show(self, insight: Insight, head: int | None, width: int) -> None:
        weights = insight.maps.weights
        n_layers, n_heads, n_tokens = weights.shape[:3]
        side = min(_LARGEST, n_tokens, max(_SMALLEST, (width + 1) // n_heads - 1))
        across = max(1, min(n_heads, (width + 1) // (side + 1)))
        parts: list[Content | tuple[str, str]] = [(f"{name(insight, head)}\n", "$accent")]
        for layer in range(n_layers):
            for first in range(0, n_heads, across):
                heads = range(first, min(n_heads, first + across))
                parts.append(("\n", ""))
                for one in heads:
                    chosen = head == layer * n_heads + one
                    label = f"{layer + 1}.{one + 1}".ljust(side + 1)[: side + 1]
                    parts.append((label, "bold $primary" if chosen else "$foreground 55%"))
                pictures = [self._picture(_reduced(weights[layer, one], side)) for one in heads]
                for lines in zip(*pictures, strict=True):
                    parts.append(("\n", ""))
                    for line in lines:
                        parts += [line, (" ", "")]
        self.update(Content.assemble(*parts))

    def _picture(self, points: Floats) -> list[Content]:
        theme = self.app.current_theme
        if len(points) % 2:
            points = np.vstack([points, np.zeros((1, points.shape[1]))])
        return [
            Content.assemble(
                *(
                    Content.styled(
                        "▀",
                        Style(foreground=warmth(float(upper), theme), background=warmth(float(lower), theme)),
                    )
                    for upper, lower in zip(*pair, strict=True)
                )
            )
            for pair in zip(points[::2], points[1::2], strict=True)
        ]


def _reduced(weights: Floats, side: int) -> Floats:
    """A map of shape (T, T) as one of (side, side): the strongest of the weights that fall together."""
    edges = np.linspace(0, len(weights), side + 1).astype(int)[:-1]
    rows = np.maximum.reduceat(weights, edges, axis=0)
    reduced: Floats = np.maximum.reduceat(rows, edges, axis=1)
    return reduced
