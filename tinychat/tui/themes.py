"""One light and one dark theme: a calm ground, one accent for what is alive."""

from textual.theme import Theme

DARK = Theme(
    name="tinychat-dark",
    dark=True,
    background="#14161b",
    surface="#1b1e25",
    panel="#232731",
    foreground="#d6dae2",
    primary="#7db4e6",
    secondary="#8fa3bf",
    accent="#e6b673",
    success="#8fc78f",
    warning="#e6b673",
    error="#e08080",
)

LIGHT = Theme(
    name="tinychat-light",
    dark=False,
    background="#fbfaf7",
    surface="#f3f1eb",
    panel="#e8e5dc",
    foreground="#2b2f36",
    primary="#2563a8",
    secondary="#5c6b80",
    accent="#a05a00",
    success="#2f7a3a",
    warning="#a05a00",
    error="#b03030",
)
