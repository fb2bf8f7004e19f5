"""The vocabulary as a map of characters."""

from collections.abc import Container

import numpy as np
from rich.console import Console
from rich.text import Text

from tinychat.drawing.scatter import scatter
from tinychat.drawing.text import token
from tinychat.inspection import EmbeddingMap

_HEIGHT = 24
_WIDEST = 100


def draw_embedding(console: Console, found: EmbeddingMap, named: Container[int] | None) -> None:
    """Dots for all tokens; names as far as there is room, from the rim inwards, or of the `named` alone."""
    width = max(10, min(console.width, _WIDEST))
    rim_inwards = np.argsort(-(found.points**2).sum(axis=1), kind="stable").tolist()
    wanted = [index for index in rim_inwards if named is None or index in named]
    for line in scatter(found.points, [token(text) for text in found.tokens], wanted, width, _HEIGHT):
        text = "".join(part.text for part in line)
        console.print(Text(text.rstrip()), no_wrap=True, overflow="crop")
    across, up = found.explained
    console.print(
        f"{len(found.tokens)} tokens; {across:.1%} of their variance lies across, {up:.1%} up and down"
    )
