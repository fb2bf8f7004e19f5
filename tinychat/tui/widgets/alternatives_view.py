"""What might have been written in place of a word, with bars."""

from textual.content import Content
from textual.widgets import Static

from tinychat.drawing.text import percent, token
from tinychat.tui.insight import Insight

_NAME, _BAR = 16, 16
"""Columns."""


class AlternativesView(Static):
    """The likeliest tokens at one place, how sure the model was, and what the sampler made of it."""

    def __init__(self) -> None:
        super().__init__(markup=False)

    def show(self, insight: Insight, place: int) -> None:
        found = insight.alternatives
        written, sampled = found.exchange.answer_ids[place], found.sampled
        rank, chance = int(found.rank[place]), float(found.probability[place])
        rows = list(
            zip(found.ids[place].tolist(), found.tokens[place], found.probabilities[place], strict=True)
        )
        drawn = list(sampled.probabilities[place]) if sampled else [None] * len(rows)
        if written not in found.ids[place]:
            rows.append((written, found.exchange.answer_tokens[place], chance))
            drawn.append(sampled.probability[place] if sampled else None)
        parts: list[tuple[str, str] | str] = [(f"  {'':{_NAME}} likely", "$foreground 55%")]
        parts.append((f"{'':{_BAR + 1}} drawn\n" if sampled else "\n", "$foreground 55%"))
        for (index, name, share), chosen in zip(rows, drawn, strict=True):
            is_written = index == written
            style = "bold $primary" if is_written else ""
            label = Content(token(name)).truncate(_NAME, ellipsis=True, pad=True)
            length = round(_BAR * float(share))
            parts += [(f"{'▸' if is_written else ' '} {label.plain} {percent(float(share)):>6} ", style)]
            parts += [("━" * length, "$accent" if is_written else "$primary")]
            parts += [(" " * (_BAR - length), "")]
            if chosen is not None:
                parts.append((f" {percent(float(chosen)):>6}" if chosen else "    cut", "$foreground 55%"))
            parts.append("\n")
        parts.append(
            (
                f"\n{_ordinal(rank)} of {insight.n_tokens:,} · entropy {found.entropy[place]:.2f} nats",
                "$foreground 55%",
            )
        )
        if sampled:
            left = int(sampled.left[place])
            parts.append(
                (f"\nthe sampler cut {insight.n_tokens - left:,} and left {left:,}", "$foreground 55%")
            )
        self.update(Content.assemble(*parts))


def _ordinal(rank: int) -> str:
    return "the likeliest" if rank == 1 else f"number {rank:,}"
