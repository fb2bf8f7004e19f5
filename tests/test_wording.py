"""Numbers of things, as one writes them."""

import pytest

from tinychat.wording import counted


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0 layers"), (1, "1 layer"), (2, "2 layers"), (1200, "1,200 layers")]
)
def test_things_are_counted(n: int, text: str) -> None:
    assert counted(n, "layer") == text
