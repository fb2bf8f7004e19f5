"""Which columns of a cache the new places of every row look at, against the rows written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinychat.core.cached_attention import Columns, exp_


def looked_at(columns: Columns, window: int | None) -> list[list[list[int]]]:
    """[row][new place] -> the places of that row that it sees."""
    first, hidden = columns.seen(window)
    n, T = columns.end - first, columns.end - columns.begin
    shape = (columns.n_rows, 1, 1, T, n)
    mask = np.zeros(shape, bool) if hidden is None else np.broadcast_to(hidden, shape)
    pads = [columns.end - length for length in lengths_of(columns)]
    return [
        [[first + key - pads[b] for key in range(n) if not mask[b, 0, 0, t, key]] for t in range(T)]
        for b in range(columns.n_rows)
    ]


def lengths_of(columns: Columns) -> list[int]:
    """From the place of the last new token of every row."""
    places = np.broadcast_to(
        np.arange(columns.end)[columns.places] if isinstance(columns.places, slice) else columns.places[:, 0],
        (columns.n_rows, columns.end - columns.begin),
    )
    return [int(row[-1]) + 1 for row in places]


def should_see(length: int, n_new: int, window: int | None) -> list[list[int]]:
    return [
        [key for key in range(place + 1) if window is None or key > place - window]
        for place in range(length - n_new, length)
        if place >= 0
    ]


@settings(max_examples=80)
@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=4),
    st.integers(0, 5),
    st.one_of(st.none(), st.integers(1, 9)),
)
def test_every_new_place_sees_its_own_row_up_to_itself(
    lengths: list[int], n_steps: int, window: int | None
) -> None:
    columns = Columns()
    columns.begin_rows(lengths)
    for row, length in zip(looked_at(columns, window), lengths, strict=True):
        assert row[-length:] == should_see(length, length, window)  # before these stands padding
    for step in range(1, n_steps + 1):
        columns.begin_column()
        assert columns.end == max(lengths) + step
        assert lengths_of(columns) == [length + step for length in lengths]
        assert looked_at(columns, window) == [should_see(length + step, 1, window) for length in lengths]


def test_kept_rows_keep_their_places() -> None:
    columns = Columns()
    columns.begin_rows([5, 2, 3])
    assert columns.keep([2, 1, 1]) == slice(2, 5)
    assert (columns.n_rows, columns.end, lengths_of(columns)[0]) == (3, 3, 3)
    columns.begin_column()
    assert lengths_of(columns) == [4, 3, 3]
    assert columns.keep([1]) == slice(1, 4)
    columns.begin_column()
    assert (lengths_of(columns), columns.end) == ([4], 4)
    assert columns.seen(None) == (0, None)  # what was empty before it is gone


@pytest.mark.parametrize("window", [None, 3])
def test_where_all_rows_are_equally_long_there_is_nothing_to_hide(window: int | None) -> None:
    columns = Columns()
    columns.begin_rows([4, 4])
    columns.begin_column()
    assert columns.seen(window) == (0 if window is None else 2, None)
    assert columns.places == slice(4, 5)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (2, 2, 3)], ids=str)
@pytest.mark.parametrize("middle", [-1e6, -200, -45, -39, 0, 39, 45, 200, 1e6])
def test_exponentials_are_proportional_to_the_right_ones_and_in_range(
    shape: tuple[int, ...], middle: float
) -> None:
    scores = np.broadcast_to(np.float32([middle - 2, middle + 1, middle]), shape).copy()
    with np.errstate(all="raise"):
        found = exp_(scores)
        shares = found / found.sum(axis=-1, keepdims=True)
    assert found is scores
    wanted = np.exp([-2.0, 1.0, 0.0]) / np.exp([-2.0, 1.0, 0.0]).sum()
    np.testing.assert_allclose(shares, np.broadcast_to(wanted, shape), rtol=1e-6)


def test_one_high_score_among_low_ones_is_seen() -> None:
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(exp_(np.float32([-500, 300, -500])), [0, 1, 0])
