"""Which tokens the model looked at as it chose a word: a row a token, a column a head."""

from textual.content import Content
from textual.widgets import Static

from tinychat.drawing.text import percent, token
from tinychat.tui.insight import Insight
from tinychat.tui.tints import glow

_LABEL = 14
_BESIDE = 9
"""Columns of a token, and of what else is not a head."""


class AttentionView(Static):
    """A heat map with labels; the figures are of the chosen head, or of the mean of all."""

    def __init__(self) -> None:
        super().__init__(markup=False)

    def show(self, insight: Insight, place: int, head: int | None, width: int) -> None:
        """Of heads for which there is no room, those of the chosen one's layer are shown, or of the last."""
        n_layers, n_heads = insight.maps.weights.shape[:2]
        room = max(1, (width - _LABEL - _BESIDE) // 2)
        layers = range(n_layers)
        if n_layers * (n_heads + 0.5) > room:
            layer = n_layers - 1 if head is None else head // n_heads
            layers = range(layer, layer + 1)
        first = 0 if head is None else max(0, head % n_heads - room + 1)
        heads = range(first, min(n_heads, first + room))
        parts: list[tuple[str, str]] = [(f"{name(insight, head)}\n\n", "$accent")]
        is_wide = len(heads) > 3
        parts.append((f"{'' if is_wide else 'layer':>{_LABEL + 7}} ", "$foreground 55%"))
        for layer in layers:
            title = f"layer {layer + 1}" if is_wide else str(layer + 1)
            parts.append((title.ljust(2 * len(heads) + 1), "$foreground 55%"))
        parts.append((f"\n{'head':>{_LABEL + 7}} ", "$foreground 55%"))
        for layer in layers:
            for one in heads:
                chosen = head == layer * n_heads + one
                parts.append((f"{(one + 1) % 100:<2}", "bold $primary" if chosen else "$foreground 55%"))
            parts.append((" ", ""))
        looks = insight.looks(place, head)
        row = insight.row(place)
        for at in range(row + 1):
            label = Content(token(insight.tokens[at])).truncate(_LABEL, ellipsis=True, pad=True).plain
            share = float(looks[at])
            parts.append((f"\n{label} ", "bold" if share == looks.max() else ""))
            parts.append((f"{percent(share):>6} ", "" if share >= 0.01 else "$foreground 55%"))
            for layer in layers:
                weights = insight.maps.weights[layer, :, row, at]
                parts += [("  ", glow(float(weights[one]))) for one in heads]
                parts.append((" ", ""))
        self.update(Content.assemble(*parts))


def name(insight: Insight, head: int | None) -> str:
    n_layers, n_heads = insight.maps.weights.shape[:2]
    if n_layers * n_heads == 1:
        return "its one head"
    if head is None:
        return f"mean of {n_layers * n_heads} heads"
    return f"layer {head // n_heads + 1}, head {head % n_heads + 1}"
