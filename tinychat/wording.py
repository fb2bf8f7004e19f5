"""Numbers of things, as one writes them."""


def counted(n: int, noun: str) -> str:
    """`1 layer`, `1,200 layers`."""
    return f"{n:,} {noun}{'s' * (n != 1)}"
