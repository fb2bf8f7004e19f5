from typing import Any

import numpy as np
import pytest
from gradients import (
    Redrawn,
    assert_forgets_shapes,
    assert_gradients,
    assert_overwrites,
    assert_stays_float32,
    random_vectors,
    randomise,
    small_config,
)
from numpy.typing import DTypeLike

from tinychat.config import ModelConfig
from tinychat.core.block import Block
from tinychat.core.dropout import Draws
from tinychat.core.parameters import Floats, Parameters

TWO = {"n_heads": 2, "n_kv_heads": 2, "head_dim": 3}
KINDS: dict[str, dict[str, Any]] = {
    "post": {},
    "post, two heads": TWO,
    "post, rmsnorm": {"norm": "rmsnorm"},
    "pre": {"norm_position": "pre"},
    "pre, rmsnorm": {**TWO, "norm_position": "pre", "norm": "rmsnorm"},
    "sandwich": {"norm_position": "sandwich"},
    "sandwich, rmsnorm": {**TWO, "norm_position": "sandwich", "norm": "rmsnorm", "bias": False},
    "sandwich, attention output": {"norm_position": "sandwich", "attention_output": True},
}
kinds = pytest.mark.parametrize("kind", list(KINDS))


def config_of(kind: str, **changes: Any) -> ModelConfig:
    return small_config(**{**KINDS[kind], **changes})


def build(
    kind: str, dtype: DTypeLike = np.float64, index: int = 0, draws: Draws | None = None, **changes: Any
) -> tuple[Block, Parameters]:
    config = config_of(kind, **changes)
    parameters = randomise(Parameters(Block.specs(config, index), dtype))
    return Block(parameters, config, index, draws or Draws()), parameters


@kinds
def test_forward_is_the_definition(kind: str) -> None:
    block, parameters = build(kind)
    w, config = dict(parameters.views(parameters.values)), config_of(kind)
    x = random_vectors(2, 4, 6)

    def norm(name: str, z: Floats) -> Floats:
        z = z - z.mean(-1, keepdims=True) if config.norm == "layernorm" else z
        z_hat = z / np.sqrt((z**2).mean(-1, keepdims=True) + 1e-5)
        return z_hat * w[f"{name}.0.gain"] + w.get(f"{name}.0.bias", 0)

    attention, feed_forward = block.attention.forward, block.feed_forward.forward
    if config.norm_position == "post":
        a = norm("norm1", x + attention(x))
        y = norm("norm2", a + feed_forward(a))
    elif config.norm_position == "pre":
        a = x + attention(norm("norm1", x))
        y = a + feed_forward(norm("norm2", a))
    else:
        a = x + norm("post_norm1", attention(norm("norm1", x)))
        y = a + norm("post_norm2", feed_forward(norm("norm2", a)))
    np.testing.assert_allclose(block.forward(x), y, rtol=1e-11)


@kinds
def test_gradients(kind: str) -> None:
    block, parameters = build(kind)
    assert_gradients(block, parameters, random_vectors(2, 4, 6), config_of(kind))


@pytest.mark.parametrize("kind", ["post", "pre", "sandwich"])
def test_gradients_with_dropout(kind: str) -> None:
    draws = Draws()
    block, parameters = build(kind, draws=draws, dropout=0.3)
    assert_gradients(Redrawn(block, draws), parameters, random_vectors(2, 4, 6), config_of(kind))
    assert block.attention.dropout.mask is not None
    assert block.feed_forward.dropout.mask is not None


@pytest.mark.parametrize("kind", ["post", "pre", "sandwich"])
def test_every_block_takes_its_own_parameters(kind: str) -> None:
    block, parameters = build(kind, index=1)
    names = [spec.name for spec in parameters.specs]

    def norms(name: str) -> list[str]:
        both = [name, f"post_{name}"] if kind == "sandwich" else [name]
        return [f"{one}.1.{part}" for one in both for part in ("gain", "bias")]

    assert names == [
        "attention.1.w_qkv",
        *norms("norm1"),
        "feed_forward.1.w_up",
        "feed_forward.1.b_up",
        "feed_forward.1.w_down",
        "feed_forward.1.b_down",
        *norms("norm2"),
    ]
    x = random_vectors(2, 4, 6)
    before = block.forward(x).copy()
    for name, view in parameters.views(parameters.values):
        view *= -1  # each of them is read
        assert np.abs(block.forward(x) - before).max() > 0.1, name
        view *= -1


def test_the_kind_of_attention_is_that_of_the_layer() -> None:
    changes = {"layer_types": ("full", "sliding"), "sliding_window": 2}
    x = random_vectors(1, 4, 6)
    for index, seen in ((0, 4), (1, 2)):
        block, _ = build("pre", index=index, **changes)
        block.forward(x)
        assert np.count_nonzero(block.attention.weights[0, 0, -1]) == seen


@kinds
def test_backward_overwrites(kind: str) -> None:
    block, parameters = build(kind)
    assert_overwrites(block, parameters, random_vectors(2, 4, 6))


@kinds
def test_float32_stays(kind: str) -> None:
    block, parameters = build(kind, np.float32)
    assert_stays_float32(block, parameters, random_vectors(2, 4, 6, dtype=np.float32))


@kinds
def test_results_do_not_depend_on_the_shapes_before(kind: str) -> None:
    block, parameters = build(kind)
    assert_forgets_shapes(block, parameters, lambda b, t: random_vectors(b, t, 6))
