"""Attention weights as a map: a row for every token that looks, a column for every one that is looked at."""

from rich.cells import set_cell_size
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tinychat.core.parameters import Floats
from tinychat.drawing.text import percent, token
from tinychat.inspection import AttentionMaps
from tinychat.wording import counted

_LABEL = 12
"""Columns of a token."""
_STRONGEST = 21
"""Columns that the strongest token of a row takes, on the right."""
_SHADES = (" ░▒▓█", " .:*#")
"""By the root of the weight, so that small ones are told apart; the second where only ASCII can be shown."""
_COLD, _HOT = (38, 40, 70), (255, 196, 84)


def draw_attention(console: Console, maps: AttentionMaps, layer: int | None, head: int | None) -> None:
    """One head of one layer, by default the mean of all heads of the last."""
    L, H = maps.weights.shape[:2]
    layer = L - 1 if layer is None else layer
    weights = maps.weights[layer].mean(axis=0) if head is None else maps.weights[layer, head]
    which = (
        f"head {head + 1} of {H}" if head is not None else f"mean of {H} heads" if H > 1 else "its one head"
    )
    console.print(f"attention in layer {layer + 1} of {L}, {which}: where each token (a row) looks (columns)")
    labels = [token(text) for text in maps.tokens]
    T = len(labels)
    room = console.width - _LABEL - 4
    cell = 2 if room >= 2 * T else 1
    has_strongest = cell * T + _STRONGEST <= room
    first = max(0, T - room // cell)  # of the columns; what does not fit is what stands farthest back
    in_colour = not console.no_color and console.color_system in ("256", "truecolor")
    console.print(_header(range(first, T), cell), no_wrap=True)
    for t in range(T):
        line = Text(f"{t:>3} {set_cell_size(labels[t], _LABEL)}")
        for s in range(first, t + 1):
            line.append_text(_cell(float(weights[t, s]), cell, in_colour, console.options.ascii_only))
        if has_strongest:
            line.append(" " * (cell * (T - 1 - t) + 1))
            line.append(_strongest(weights[t], labels), "dim")
        console.print(line, no_wrap=True, overflow="crop")
    if not in_colour:
        shades = _SHADES[console.options.ascii_only]
        steps = [f"{shade} {(level / 4 - 1 / 8) ** 2:.0%}" for level, shade in enumerate(shades) if level]
        console.print(f"shades begin at {', '.join(steps)}")
    if first:
        console.print(f"no room for the first {counted(first, 'column')}; --json has all")


def _header(columns: range, cell: int) -> Text:
    """Numbers of the columns, their digits one below the other."""
    margin = " " * (_LABEL + 4)
    tens, ones = (
        margin + "".join(f"{digit:>{cell}}" for digit in digits)
        for digits in ([s // 10 or "" for s in columns], [s % 10 for s in columns])
    )
    return Text(f"{tens}\n{ones}" if tens.strip() else ones, "dim")


def _cell(weight: float, width: int, in_colour: bool, is_ascii: bool) -> Text:
    strength = weight**0.5
    if not in_colour:
        return Text(_SHADES[is_ascii][round(4 * min(strength, 1))] * width)
    red, green, blue = (round(a + (b - a) * strength) for a, b in zip(_COLD, _HOT, strict=True))
    return Text(" " * width, Style(bgcolor=Color.from_rgb(red, green, blue)))


def _strongest(weights: Floats, labels: list[str]) -> str:
    s = int(weights.argmax())
    return f"{percent(float(weights[s]))} {s} {labels[s]}"
