"""Numbers as a person reads them."""

import pytest

from tinychat.tui import format as fmt


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599.4, "59 min 59 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert fmt.duration(seconds) == text


@pytest.mark.parametrize(
    ("loss", "text"), [(None, "–"), (0.01234, "0.0123"), (0.99999, "1.0000"), (5.6789, "5.679")]
)
def test_losses(loss: float | None, text: str) -> None:
    assert fmt.loss(loss) == text


@pytest.mark.parametrize(("n", "text"), [(474_400, "474 k"), (1_500_000, "1.5 M")])
def test_large_numbers(n: int, text: str) -> None:
    assert fmt.count(n) == text


@pytest.mark.parametrize(
    ("perplexity", "text"), [(1.5, "1.50"), (99.996, "100.00"), (1234.5, "1,234"), (2.5e7, "2.5e+07")]
)
def test_perplexities(perplexity: float, text: str) -> None:
    assert fmt.perplexity(perplexity) == text
