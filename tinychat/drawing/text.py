"""Text that cannot give a terminal orders, shares of a whole, and names of layers."""


def readable(text: str) -> str:
    r"""What has no shape, as a line break, as an escape; so no text can give orders to the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def token(text: str) -> str:
    """A token in a drawing; a space at its ends, which could not be seen, as `␣`."""
    inner = text.strip(" ")
    start = len(text) - len(text.lstrip(" ")) if inner else len(text)
    return readable("␣" * start + inner + "␣" * (len(text) - start - len(inner)))


def percent(share: float) -> str:
    """In five columns."""
    return f"{share:5.1%}" if share < 0.9995 else " 100%"


def layer_name(row: int) -> str:
    """Of a row of the logit lens: the embedding, and behind it the layers, which users count from 1."""
    return f"layer {row}" if row else "embedding"
