import numpy as np
import pytest
from gradients import (
    assert_forgets_shapes,
    assert_gradients,
    assert_overwrites,
    assert_stays_float32,
    random_vectors,
    randomise,
    small_config,
)
from numpy.typing import DTypeLike

from tinychat.core.block import Block
from tinychat.core.parameters import Floats, Parameters

heads = pytest.mark.parametrize("n_heads", [1, 2])


def build(n_heads: int, dtype: DTypeLike = np.float64, index: int = 0) -> tuple[Block, Parameters]:
    config = small_config(n_heads)
    parameters = randomise(Parameters(Block.specs(config, index), dtype))
    return Block(parameters, config, index), parameters


@heads
def test_forward_adds_then_normalises_around_both_sub_layers(n_heads: int) -> None:
    block, _ = build(n_heads)
    x = random_vectors(2, 4, 6)

    def normalised(z: Floats, gain: Floats, bias: Floats) -> Floats:
        return (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-5) * gain + bias

    a = normalised(x + block.attention.forward(x), block.norm1.gain, block.norm1.bias)
    y = normalised(a + block.feed_forward.forward(a), block.norm2.gain, block.norm2.bias)
    np.testing.assert_allclose(block.forward(x), y, rtol=1e-11)


@heads
def test_gradients(n_heads: int) -> None:
    block, parameters = build(n_heads)
    assert_gradients(block, parameters, random_vectors(2, 4, 6))


def test_every_block_takes_its_own_parameters() -> None:
    block, parameters = build(1, index=4)
    names = [spec.name for spec in parameters.specs]
    assert names == [
        "attention.4.w_qkv",
        "norm1.4.gain",
        "norm1.4.bias",
        "feed_forward.4.w_up",
        "feed_forward.4.b_up",
        "feed_forward.4.w_down",
        "feed_forward.4.b_down",
        "norm2.4.gain",
        "norm2.4.bias",
    ]
    assert np.shares_memory(block.norm2.bias, parameters.values)


@heads
def test_backward_overwrites(n_heads: int) -> None:
    block, parameters = build(n_heads)
    assert_overwrites(block, parameters, random_vectors(2, 4, 6))


@heads
def test_float32_stays(n_heads: int) -> None:
    block, parameters = build(n_heads, np.float32)
    assert_stays_float32(block, parameters, random_vectors(2, 4, 6, dtype=np.float32))


@heads
def test_results_do_not_depend_on_the_shapes_before(n_heads: int) -> None:
    block, parameters = build(n_heads)
    assert_forgets_shapes(block, parameters, lambda b, t: random_vectors(b, t, 6))
