"""Numbers as a person reads them."""


def duration(seconds: float) -> str:
    """`8 s`, `1 min 20 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def loss(value: float | None) -> str:
    """Four significant digits or so; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.4f}" if value < 1 else f"{value:.3f}"


def count(value: int) -> str:
    """`474 k`, `1.5 M`."""
    return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value / 1e3:.0f} k"


def perplexity(value: float) -> str:
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}" if value < 1e6 else f"{value:.1e}"
