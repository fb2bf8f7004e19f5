"""What each layer would have said in place of a word."""

from textual.content import Content
from textual.widgets import Static

from tinychat.drawing.text import layer_name, percent, token
from tinychat.tui.insight import Insight

_NAME, _BAR = 14, 10
"""Columns."""


class LensView(Static):
    """A line a layer, from the embedding to the last: the likeliest token so far, and the next ones."""

    def __init__(self) -> None:
        super().__init__(markup=False)

    def show(self, insight: Insight, place: int) -> None:
        lens, row = insight.lens, insight.row(place)
        written = insight.alternatives.exchange.answer_ids[place]
        parts: list[tuple[str, str]] = [("behind each layer, the next token would be\n", "$accent")]
        for layer in range(len(lens.next_ids)):
            chances, names = lens.probabilities[layer, row], lens.next_tokens[layer][row]
            agrees = int(lens.next_ids[layer, row, 0]) == written
            first, *others = (
                Content(token(text)).truncate(_NAME, ellipsis=True, pad=True).plain for text in names
            )
            length = round(_BAR * float(chances[0]))
            parts.append((f"\n{layer_name(layer):<10} ", "$foreground 55%"))
            parts.append((f"{first} ", "bold $primary" if agrees else ""))
            parts.append((f"{percent(float(chances[0])):>6} ", ""))
            parts.append(("━" * length, "$accent" if agrees else "$primary"))
            rest = " · ".join(
                f"{other.strip()} {percent(float(chance)).strip()}"
                for other, chance in zip(others, chances[1:], strict=True)
            )
            parts.append((f"\n{'':10} {rest}", "$foreground 55%"))
        self.update(Content.assemble(*parts))
