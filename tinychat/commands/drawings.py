"""Tables of what was found inside a model."""

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tinychat.drawing.text import layer_name, percent, token
from tinychat.inspection import Alternatives, LogitLens, Neighbours
from tinychat.wording import counted

_FAINT = 0.001
"""Probability below which a token is not worth a line, unless it was written."""
_LONGEST_BAR, _BESIDE_BAR = 40, 56
"""Columns of a bar, and those kept free for all else."""
_LAYER_COLUMNS = 18
"""That the token of a layer and its probability take."""


def draw_alternatives(console: Console, found: Alternatives) -> None:
    """For every token of the answer, marked by >, the likeliest at its place, with bars.

    Of a sampler, what it makes of them, and how many of all it has left.
    """
    sampled = found.sampled
    drawn = ["drawn", "left"] if sampled else []
    table = _table("", "written", "entropy", "", "could be", "", *drawn, "")
    for column in table.columns[6 : 6 + len(drawn)]:
        column.min_width = 6
    for number in (0, 2, 3, 5):  # a token may be cut, a figure not
        table.columns[number].min_width = (2, 0, 9, 1, 0, 5)[number]
    written = zip(found.exchange.answer_ids, found.exchange.answer_tokens, strict=True)
    for place, (index, text) in enumerate(written):
        likely = zip(found.ids[place].tolist(), found.tokens[place], found.probabilities[place], strict=True)
        shares = sampled.probabilities[place].tolist() if sampled else [None] * found.ids.shape[1]
        rows = [
            (">" if other == index else "", name, float(chance), share)
            for rank, ((other, name, chance), share) in enumerate(zip(likely, shares, strict=True))
            if rank == 0 or chance >= _FAINT or other == index
        ]
        if found.rank[place] > found.ids.shape[1]:
            share = float(sampled.probability[place]) if sampled else None
            rows.append((f"> {found.rank[place]}.", text, float(found.probability[place]), share))
        head = (str(place), token(text), f"{found.entropy[place]:.2f} nats")
        left = [f"{sampled.left[place]:,}"] if sampled else []
        for mark, name, chance, share in rows:
            style = "bold" if mark else ""
            drawn = [] if share is None else [percent(share) if share else "   cut"]
            bar = _bar(console, chance, 14 if sampled else 0)
            table.add_row(*head, mark, Text(token(name), style), percent(chance), *drawn, *left, bar)
            head, left = ("", "", ""), [""] * len(left)
    console.print(table)


def draw_lens(console: Console, lens: LogitLens, layer: int | None) -> None:
    """For every token that was read, what each layer says is next; of one layer, more of it.

    What differs from the last layer is dim. Of more layers than fit, the last ones.
    """
    if layer is not None:
        _draw_layer(console, lens, layer + 1)
        return
    first = max(0, len(lens.next_ids) - max(1, (console.width - _LAYER_COLUMNS) // _LAYER_COLUMNS))
    table = _table("", "read", *map(layer_name, range(first, len(lens.next_ids))))
    for place, text in enumerate(lens.tokens):
        cells = []
        for row in range(first, len(lens.next_ids)):
            agrees = lens.next_ids[row, place, 0] == lens.next_ids[-1, place, 0]
            said = f"{percent(lens.probabilities[row, place, 0])} {token(lens.next_tokens[row][place][0])}"
            cells.append(Text(said, "" if agrees else "dim"))
        table.add_row(str(place), token(text), *cells)
    console.print(table)
    if first:
        console.print(
            f"no room for {counted(first, 'layer')} more; see a single one with --layer, or all with --json"
        )


def _draw_layer(console: Console, lens: LogitLens, row: int) -> None:
    console.print(f"behind {layer_name(row)}, the next token would be")
    n = min(lens.next_ids.shape[2], max(1, (console.width - _LAYER_COLUMNS) // _LAYER_COLUMNS))
    table = _table("", "read", *[""] * n)
    for place, text in enumerate(lens.tokens):
        likely = zip(lens.probabilities[row, place], lens.next_tokens[row][place], strict=True)
        said = [f"{percent(chance)} {token(name)}" for chance, name in list(likely)[:n]]
        table.add_row(str(place), token(text), *said)
    console.print(table)


def draw_neighbours(console: Console, found: Neighbours) -> None:
    table = _table("nearest to", token(found.token), "")
    table.columns[1].min_width = 6
    for text, similarity in zip(found.tokens, found.similarity.tolist(), strict=True):
        table.add_row(token(text), f"{similarity:.3f}", _bar(console, max(similarity, 0)))
    console.print(table)


def _bar(console: Console, share: float, beside: int = 0) -> ProgressBar | str:
    """As wide as the figures beside it, `beside` columns more than usual, leave room; nothing without."""
    width = min(_LONGEST_BAR, console.width - _BESIDE_BAR - beside)
    if width < 4:
        return ""
    return ProgressBar(total=1, completed=share, width=width, finished_style="bar.complete")


def _table(*headers: str) -> Table:
    """Without lines; a text that is too long for its column is cut, so that a row stays a row."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, expand=False, header_style="dim")
    for header in headers:
        table.add_column(Text(header), no_wrap=True, overflow="ellipsis", max_width=_LAYER_COLUMNS - 2)
    return table
