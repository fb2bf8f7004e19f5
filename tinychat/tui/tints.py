"""Colours that tell a share of a whole. They follow the theme, and are shades of grey under NO_COLOR."""

from textual.color import Color
from textual.content import Span
from textual.theme import Theme

from tinychat.tui.insight import Insight


def glow(share: float) -> str:
    """Style of a text, the warmer the larger the share: by its root, so that small ones are told apart."""
    strength = round(100 * min(share, 1) ** 0.5)
    return f"{'$background ' if strength > 60 else ''}on $accent {strength}%"


def warmth(share: float, theme: Theme) -> Color:
    """The same as a colour."""
    ground = Color.parse(theme.surface or theme.background or "black")
    return ground.blend(Color.parse(theme.accent or theme.primary), min(share, 1) ** 0.5)


def doubt(probability: float) -> str:
    """Style of a token: nothing if it was certain, the warmer the less likely it was."""
    strength = round(85 * (1 - probability))
    return f"{'$background ' if strength > 60 else ''}on $accent {strength}%" if strength > 2 else ""


def doubts(insight: Insight) -> list[Span]:
    """Tints of an answer's text, which has no space in front."""
    spans, end = [], 0
    for place, piece in enumerate(insight.pieces[insight.n_prompt :]):
        text = piece.removeprefix(" ") if end == 0 else piece
        start, end = end, end + len(text)
        style = doubt(float(insight.alternatives.probability[place]))
        start += len(text) - len(text.lstrip(" "))  # the gap is not in doubt
        if style and start < end:
            spans.append(Span(start, end, style))
    return spans
