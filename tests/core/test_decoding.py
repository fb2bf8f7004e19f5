"""The short forms of norm and feed-forward are the layers that they stand for."""

import numpy as np
import pytest
from gradients import random_vectors, randomise, small_config

from tinychat.core.decoding import DecodingFeedForward, DecodingNorm
from tinychat.core.dropout import Draws
from tinychat.core.feed_forward import FeedForward
from tinychat.core.norm import NORMS
from tinychat.core.parameters import Parameters

SHAPES = [(6,), (1, 6), (5, 6), (2, 3, 4, 6), (1, 1, 1, 6)]


@pytest.mark.parametrize("norm", list(NORMS))
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("norm_eps", [1e-5, 0.5])
def test_norm(norm: str, bias: bool, shape: tuple[int, ...], norm_eps: float) -> None:
    config = small_config(norm=norm, bias=bias, norm_eps=norm_eps)
    parameters = randomise(Parameters(NORMS[norm].specs(config, "norm"), np.float64))
    layer = NORMS[norm](parameters.scope("norm"), config)
    x = random_vectors(*shape) + 3
    wanted = layer.forward(x)
    found = DecodingNorm(layer)(x)
    assert found is x
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh", "silu"])
@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(6,), (1, 6), (4, 6)], ids=str)
def test_feed_forward(activation: str, gated: bool, bias: bool, shape: tuple[int, ...]) -> None:
    config = small_config(activation=activation, gated=gated, bias=bias)
    parameters = randomise(Parameters(FeedForward.specs(config, "feed_forward"), np.float64))
    layer = FeedForward(parameters.scope("feed_forward"), config, Draws())
    x = random_vectors(*shape)
    wanted = layer.forward(x.reshape(1, -1, 6)).reshape(shape)
    kept = wanted.copy()
    found = DecodingFeedForward(layer)(x)
    np.testing.assert_allclose(found, kept, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(wanted, kept)  # an array of the layer's own


def test_rows_stay_of_the_weights_dtype() -> None:
    config = small_config(activation="silu", gated=True)
    for shape in ((6,), (1, 6), (4, 6)):
        x = random_vectors(*shape, dtype=np.float32)
        norm = Parameters(NORMS["layernorm"].specs(config, "norm"))
        feed_forward = Parameters(FeedForward.specs(config, "feed_forward"))
        forms = (
            DecodingNorm(NORMS["layernorm"](norm.scope("norm"), config)),
            DecodingFeedForward(FeedForward(feed_forward.scope("feed_forward"), config, Draws())),
        )
        assert [form(x).dtype for form in forms] == [np.float32] * 2
