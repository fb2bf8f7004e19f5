import math
from collections.abc import Callable
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

from tinychat.core.dropout import Draws
from tinychat.core.feed_forward import FeedForward
from tinychat.core.parameters import Parameters

KINDS: dict[str, dict[str, Any]] = {
    "default": {},
    **{name: {"activation": name} for name in ("gelu", "gelu_tanh", "silu")},
    **{
        f"gated {name}": {"activation": name, "gated": True} for name in ("relu", "gelu", "gelu_tanh", "silu")
    },
    "without bias": {"bias": False},
    "gated without bias": {"bias": False, "gated": True, "activation": "silu"},
}
kinds = pytest.mark.parametrize("kind", list(KINDS))

ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "relu": lambda x: max(x, 0.0),
    "gelu": lambda x: x * math.erfc(-x / math.sqrt(2)) / 2,
    "gelu_tanh": lambda x: x / (1 + math.exp(-2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x / (1 + math.exp(-x)),
}


def build(
    kind: str = "default", dtype: DTypeLike = np.float64, draws: Draws | None = None, **changes: Any
) -> tuple[FeedForward, Parameters]:
    config = small_config(**KINDS[kind], **changes)
    parameters = randomise(Parameters(FeedForward.specs(config, "feed_forward"), dtype))
    return FeedForward(parameters.scope("feed_forward"), config, draws or Draws()), parameters


@kinds
def test_forward_is_the_definition(kind: str) -> None:
    ff, parameters = build(kind)
    config = small_config(**KINDS[kind])
    w = {name.partition(".")[2]: view for name, view in parameters.views(parameters.values)}
    x = random_vectors(2, 3, 6)
    zeros = np.zeros(20)
    bend = np.vectorize(ACTIVATIONS[config.activation])
    if config.gated:
        a = x @ w["w_gate_up"] + w.get("b_gate_up", zeros)[:10]
        h = bend(a[..., :5]) * a[..., 5:]
    else:
        a = x @ w["w_up"] + w.get("b_up", zeros)[:5]
        h = bend(a)
    assert 0.2 < (a > 0).mean() < 0.8  # both sides of the activation are in the case
    np.testing.assert_allclose(ff.forward(x), h @ w["w_down"] + w.get("b_down", zeros)[:6], rtol=1e-11)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("default", {"w_up": (6, 5), "b_up": (5,), "w_down": (5, 6), "b_down": (6,)}),
        ("gated silu", {"w_gate_up": (6, 10), "b_gate_up": (10,), "w_down": (5, 6), "b_down": (6,)}),
        ("without bias", {"w_up": (6, 5), "w_down": (5, 6)}),
        ("gated without bias", {"w_gate_up": (6, 10), "w_down": (5, 6)}),
    ],
)
def test_parameters(kind: str, names: dict[str, tuple[int, ...]]) -> None:
    _, parameters = build(kind)
    assert {spec.name.partition(".")[2]: spec.shape for spec in parameters.specs} == names


@kinds
def test_gradients(kind: str) -> None:
    ff, parameters = build(kind)
    x = random_vectors(2, 3, 6)
    # A difference across the corner of the ReLU would be no derivative.
    assert np.abs(x @ ff.w_up + (0 if ff.b_up is None else ff.b_up)).min() > 1e-3
    assert_gradients(ff, parameters, x, small_config(**KINDS[kind]))


@pytest.mark.parametrize("kind", ["default", "gated silu"])
def test_gradients_with_dropout(kind: str) -> None:
    draws = Draws()
    ff, parameters = build(kind, draws=draws, dropout=0.3)
    layer = Redrawn(ff, draws)
    x = random_vectors(2, 3, 6)
    share = (layer.forward(x) == 0).mean()
    assert 0 < share < 1
    assert_gradients(layer, parameters, x, small_config(**KINDS[kind]))


def test_a_hidden_unit_that_is_off_passes_no_gradient() -> None:
    ff, parameters = build()
    assert ff.b_up is not None
    assert ff.up_gradients.db is not None
    ff.b_up[2] = -100
    ff.forward(random_vectors(2, 3, 6))
    ff.backward(random_vectors(2, 3, 6, seed=2))
    np.testing.assert_array_equal(ff.up_gradients.dw[:, 2], 0)
    np.testing.assert_array_equal(ff.down_gradients.dw[2], 0)
    assert ff.up_gradients.db[2] == 0
    assert np.abs(parameters.grads).max() > 0


@kinds
def test_backward_overwrites(kind: str) -> None:
    ff, parameters = build(kind)
    assert_overwrites(ff, parameters, random_vectors(2, 3, 6))


@kinds
def test_float32_stays(kind: str) -> None:
    ff, parameters = build(kind, np.float32)
    assert_stays_float32(ff, parameters, random_vectors(2, 3, 6, dtype=np.float32))


@kinds
def test_results_do_not_depend_on_the_shapes_before(kind: str) -> None:
    ff, parameters = build(kind)
    assert_forgets_shapes(ff, parameters, lambda b, t: random_vectors(b, t, 6))
