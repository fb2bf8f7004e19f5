"""What the model read and wrote, token by token, with one under the cursor."""

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from tinychat.drawing.text import readable, token
from tinychat.tui.insight import Insight


class Words(Static):
    """The question is dim, the answer is not; a token that is no part of a text shows its name."""

    def __init__(self) -> None:
        super().__init__(id="words", markup=False)

    def show(self, insight: Insight, place: int, tint: Callable[[int], str]) -> None:
        """The cursor is on a place of the answer; `tint` gives the style of a token by its number."""
        parts: list[tuple[str, str]] = []
        for index, piece in enumerate(insight.pieces):
            word = readable(piece.lstrip(" ")) or f"‹{token(insight.tokens[index]).strip('<>')}›"
            gap = " " * (len(piece) - len(piece.lstrip(" "))) if piece else " " * bool(index)
            style = tint(index) or ("$foreground 55%" if index < insight.n_prompt else "")
            if index == insight.n_prompt + place:
                style = "bold $background on $primary"
            parts += [(gap if index else "", ""), (word, style)]
        self.update(Content.assemble(*parts))
