import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinychat.core.scratch import Scratch

calls = st.lists(
    st.tuples(st.sampled_from("xy"), st.lists(st.integers(0, 5), min_size=1, max_size=3)), max_size=30
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_dtype_and_order(dtype: type[np.floating]) -> None:
    view = Scratch(dtype)("x", 2, 3, 4)
    assert view.shape == (2, 3, 4)
    assert view.dtype == dtype
    assert view.flags.c_contiguous
    assert view.flags.writeable


def test_the_same_shape_again_is_the_same_array() -> None:
    scratch = Scratch(np.float32)
    assert scratch("x", 2, 3) is scratch("x", 2, 3)


def test_a_smaller_shape_takes_the_memory_of_the_larger() -> None:
    scratch = Scratch(np.float32)
    large = scratch("x", 4, 5)
    small = scratch("x", 2, 3)
    assert np.shares_memory(large, small)
    assert scratch("x", 4, 5) is large


def test_the_same_count_in_another_shape_takes_the_same_memory() -> None:
    scratch = Scratch(np.float32)
    assert np.shares_memory(scratch("x", 4, 5), scratch("x", 20))


def test_names_do_not_share() -> None:
    scratch = Scratch(np.float32)
    assert not np.shares_memory(scratch("x", 4), scratch("y", 4))


@settings(max_examples=100)
@given(calls)
def test_memory_is_one_array_a_name_and_as_large_as_the_largest_shape(
    sequence: list[tuple[str, list[int]]],
) -> None:
    scratch = Scratch(np.float64)
    largest: dict[str, int] = {}
    for name, shape in sequence:
        view = scratch(name, *shape)
        assert view.shape == tuple(shape)
        view.fill(1)  # within its own memory
        largest[name] = max(largest.get(name, 0), view.size)
    for name, size in largest.items():
        whole = scratch(name, size)
        for other, shape in sequence:
            view = scratch(other, *shape)
            if view.size:
                assert np.shares_memory(view, whole) == (other == name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ones(dtype: type[np.floating]) -> None:
    scratch = Scratch(dtype)
    for n in (3, 1, 5, 5, 2, 0):
        ones = scratch.ones(n)
        assert ones.dtype == dtype
        assert ones.tolist() == [1] * n
    assert np.shares_memory(scratch.ones(5), scratch.ones(4))
