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
from tinychat.core.attention import SelfAttention, causal_mask
from tinychat.core.dropout import Draws
from tinychat.core.parameters import Floats, Parameters

SLIDING = {"layer_types": ("sliding", "full"), "sliding_window": 2}
GROUPED = {"attention_output": True, "n_heads": 4, "n_kv_heads": 2, "head_dim": 4}
KINDS: dict[str, dict[str, Any]] = {
    "one head": {},
    "two heads": {"n_heads": 2, "n_kv_heads": 2, "head_dim": 3},
    "three heads": {"n_heads": 3, "n_kv_heads": 3, "head_dim": 2},
    "grouped": {"n_heads": 2, "n_kv_heads": 1, "head_dim": 3},
    "two groups": GROUPED,
    "biases": {"attention_bias": True, "n_heads": 2, "n_kv_heads": 2, "head_dim": 3},
    "grouped, biases": {**GROUPED, "attention_bias": True},
    "output": {"attention_output": True},
    "output without bias": {"attention_output": True, "bias": False},
    "rope": {"positions": "rope", "attention_bias": True},
    "rope, grouped": {**GROUPED, "positions": "rope", "rope_theta": 30.0},
    "qk norm": {"qk_norm": True},
    "qk norm without bias": {"qk_norm": True, "bias": False},
    "qk norm, biases": {**GROUPED, "qk_norm": True, "attention_bias": True},
    "qk norm, rope": {"qk_norm": True, "positions": "rope", "n_heads": 1, "n_kv_heads": 1, "head_dim": 6},
    "qk rms norm, rope, grouped": {**GROUPED, "norm": "rmsnorm", "qk_norm": True, "positions": "rope"},
    "sliding": SLIDING,
    "sliding, local theta": {**SLIDING, **GROUPED, "positions": "rope", "rope_local_theta": 7.0},
    "all": {
        **SLIDING,
        **GROUPED,
        "positions": "rope",
        "rope_local_theta": 7.0,
        "qk_norm": True,
        "norm": "rmsnorm",
        "attention_bias": True,
    },
}
kinds = pytest.mark.parametrize("kind", list(KINDS))
every_head = pytest.mark.parametrize("kind", ["one head", "two heads", "three heads", "two groups", "all"])


def config_of(kind: str, **changes: Any) -> ModelConfig:
    return small_config(**{**KINDS[kind], **changes})


def build(
    kind: str, dtype: DTypeLike = np.float64, draws: Draws | None = None, layer: int = 0, **changes: Any
) -> tuple[SelfAttention, Parameters]:
    config = config_of(kind, **changes)
    parameters = randomise(Parameters(SelfAttention.specs(config, "attention"), dtype))
    return SelfAttention(parameters.scope("attention"), config, layer, draws or Draws()), parameters


def normed(x: Floats, w: dict[str, Floats], name: str, config: ModelConfig) -> Floats:
    if not config.qk_norm:
        return x
    x = x - x.mean() if config.norm == "layernorm" else x
    return x / np.sqrt((x**2).mean() + config.norm_eps) * w[f"{name}.gain"] + w.get(f"{name}.bias", 0)


def turned(x: Floats, t: int, theta: float) -> Floats:
    half = x.size // 2
    z = (x[:half] + 1j * x[half:]) * np.exp(1j * t * theta ** (-np.arange(half) / half))
    return np.concatenate([z.real, z.imag])


def by_the_definition(x: Floats, parameters: Parameters, config: ModelConfig, layer: int = 0) -> Floats:
    """One place and one head at a time, looking at nothing but itself and what stands before."""
    w = {name.partition(".")[2]: view for name, view in parameters.views(parameters.values)}
    (B, T, _), H, K, E = x.shape, config.n_heads, config.n_kv_heads, config.head_dim
    sliding = config.layer_types[layer:][:1] == ("sliding",)
    window = config.sliding_window if sliding and config.sliding_window else T
    theta = config.rope_local_theta if sliding and config.rope_local_theta else config.rope_theta

    def projected(b: int, t: int, head: int) -> Floats:
        mine = slice(head * E, (head + 1) * E)
        bias = w["b_qkv"][mine] if config.attention_bias else 0
        return x[b, t] @ w["w_qkv"][:, mine] + bias

    def placed(b: int, t: int, head: int, norm: str) -> Floats:
        vector = normed(projected(b, t, head), w, norm, config)
        return turned(vector, t, theta) if config.positions == "rope" else vector

    heads = np.empty((B, T, H * E))
    for b, t, h in np.ndindex(B, T, H):
        group = h * K // H  # the first H / K heads of queries share the first of keys and values, and so on
        seen = range(max(0, t - window + 1), t + 1)
        q = placed(b, t, h, "q_norm")
        scores = np.array([placed(b, s, H + group, "k_norm") @ q for s in seen])
        weights = np.exp(scores / np.sqrt(E))
        values = np.array([projected(b, s, H + K + group) for s in seen])
        heads[b, t, h * E : (h + 1) * E] = weights @ values / weights.sum()
    return heads @ w["w_o"] + w.get("b_o", 0) if config.attention_output else heads


@kinds
@pytest.mark.parametrize("layer", [0, 1])
def test_forward_is_the_definition(kind: str, layer: int) -> None:
    attention, parameters = build(kind, layer=layer)
    x = random_vectors(2, 6, 6)
    wanted = by_the_definition(x, parameters, config_of(kind), layer)
    np.testing.assert_allclose(attention.forward(x), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "shapes"),
    [
        ("two heads", {"w_qkv": (6, 18)}),
        ("grouped", {"w_qkv": (6, 12)}),
        ("grouped, biases", {"w_qkv": (6, 32), "b_qkv": (32,), "w_o": (16, 6), "b_o": (6,)}),
        ("output without bias", {"w_qkv": (6, 18), "w_o": (6, 6)}),
        ("qk norm without bias", {"w_qkv": (6, 18), "q_norm.gain": (6,), "k_norm.gain": (6,)}),
        (
            "qk norm",
            {
                "w_qkv": (6, 18),
                **{f"{name}.{part}": (6,) for name in ("q_norm", "k_norm") for part in ("gain", "bias")},
            },
        ),
    ],
)
def test_parameters(kind: str, shapes: dict[str, tuple[int, ...]]) -> None:
    _, parameters = build(kind)
    assert {spec.name.partition(".")[2]: spec.shape for spec in parameters.specs} == shapes


@kinds
def test_gradients(kind: str) -> None:
    attention, parameters = build(kind)
    assert_gradients(attention, parameters, random_vectors(2, 4, 6), config_of(kind))


@pytest.mark.parametrize("kind", ["one head", "three heads", "all"])
def test_gradients_of_a_full_context(kind: str) -> None:
    attention, parameters = build(kind)
    assert_gradients(attention, parameters, random_vectors(1, 6, 6), config_of(kind))


@pytest.mark.parametrize("kind", ["two heads", "two groups", "all"])
def test_gradients_with_dropout(kind: str) -> None:
    draws = Draws()
    attention, parameters = build(kind, draws=draws, dropout=0.3)
    layer = Redrawn(attention, draws)
    assert_gradients(layer, parameters, random_vectors(2, 4, 6), config_of(kind))
    assert attention.dropout.mask is not None
    assert 0 < (attention.dropped[attention.weights > 0] == 0).mean() < 1
    np.testing.assert_allclose(attention.weights.sum(-1), 1, rtol=1e-12)  # as they were, to be looked at


@pytest.mark.parametrize("window", [1, 2, 4, 6, 7, 100])
@pytest.mark.parametrize("kind", ["one head", "rope, grouped"])
def test_a_sliding_layer_sees_its_window(kind: str, window: int) -> None:
    changes = {"layer_types": ("full", "sliding"), "sliding_window": window}
    attention, parameters = build(kind, layer=1, **changes)
    x = random_vectors(2, 6, 6)
    wanted = by_the_definition(x, parameters, config_of(kind, **changes), 1)
    np.testing.assert_allclose(attention.forward(x), wanted, rtol=1e-11)
    t, s = np.indices((6, 6))
    np.testing.assert_array_equal(
        attention.weights > 0, np.broadcast_to((s <= t) & (s > t - window), attention.weights.shape)
    )
    if window >= 6:  # all that there is
        full, _ = build(kind)
        np.testing.assert_array_equal(full.forward(x), attention.forward(x))
    if window > 1:
        assert_gradients(attention, parameters, random_vectors(1, 5, 6), config_of(kind, **changes))


def test_a_window_of_one_place_passes_its_value_and_no_gradient_to_queries_and_keys() -> None:
    """The one weight is 1 whatever the score."""
    attention, _ = build("one head", layer_types=("sliding", "full"), sliding_window=1)
    x, dy = random_vectors(2, 4, 6), random_vectors(2, 4, 6, seed=2)
    np.testing.assert_allclose(attention.forward(x), x @ attention.w_qkv[:, 12:], rtol=1e-12)
    dx = attention.backward(dy)
    np.testing.assert_array_equal(attention.qkv_gradients.dw[:, :12], 0)
    np.testing.assert_allclose(
        attention.qkv_gradients.dw[:, 12:], np.einsum("btd,bte->de", x, dy), rtol=1e-12
    )
    np.testing.assert_allclose(dx, dy @ attention.w_qkv[:, 12:].T, rtol=1e-12)


def test_the_mask_is_0_where_a_place_may_look() -> None:
    config = small_config(layer_types=("full", "sliding"), sliding_window=2, max_seq_len=4)
    o, x = 0, -np.inf
    np.testing.assert_array_equal(
        causal_mask(config, 0), [[o, x, x, x], [o, o, x, x], [o, o, o, x], [o, o, o, o]]
    )
    np.testing.assert_array_equal(
        causal_mask(config, 1), [[o, x, x, x], [o, o, x, x], [x, o, o, x], [x, x, o, o]]
    )


def test_a_bias_of_the_keys_moves_nothing_unless_positions_turn_it() -> None:
    """It adds the same to all scores of a query, which softmax does not see."""
    for kind, moves in (("biases", False), ("rope", True)):
        attention, _ = build(kind)
        assert attention.b_qkv is not None
        x = random_vectors(2, 5, 6)
        before = attention.forward(x).copy()
        attention.b_qkv[6:12] += 1
        off = np.abs(attention.forward(x) - before).max()
        assert off > 0.01 if moves else off < 1e-13


@pytest.mark.parametrize("kind", ["rope", "rope, grouped"])
def test_with_rotary_positions_a_row_may_stand_anywhere(kind: str) -> None:
    """Of places that see only each other, the outputs do not depend on how many stand before."""
    attention, _ = build(kind, layer_types=("sliding", "full"), sliding_window=3)
    x = random_vectors(1, 6, 6)
    whole = attention.forward(x).copy()
    np.testing.assert_allclose(attention.forward(x[:, 1:])[:, 2:], whole[:, 3:], rtol=1e-10)


@kinds
def test_no_place_sees_a_later_one(kind: str) -> None:
    attention, _ = build(kind)
    x = random_vectors(2, 5, 6)
    before = attention.forward(x).copy()
    for t in range(1, 5):
        changed = x.copy()
        changed[:, t:] += random_vectors(2, 5 - t, 6, seed=8)
        after = attention.forward(changed)
        np.testing.assert_allclose(after[:, :t], before[:, :t], rtol=1e-12)
        assert np.abs(after[:, t] - before[:, t]).max() > 0.1


@every_head
def test_no_gradient_flows_to_a_later_place(kind: str) -> None:
    attention, _ = build(kind, layer=1)
    dy = np.zeros((2, 5, 6))
    dy[:, 2] = random_vectors(2, 6)
    attention.forward(random_vectors(2, 5, 6))
    dx = attention.backward(dy)
    np.testing.assert_array_equal(dx[:, 3:], 0)
    assert np.abs(dx[:, :3]).max(axis=(0, 2)).min() > 0


@pytest.mark.parametrize(("kind", "n_heads"), [("two heads", 2), ("two groups", 4)])
def test_the_weights_are_a_distribution_over_the_places_so_far(kind: str, n_heads: int) -> None:
    attention, _ = build(kind)
    attention.forward(random_vectors(2, 5, 6))
    weights = attention.weights
    assert weights.shape == (2, n_heads, 5, 5)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-12)
    np.testing.assert_array_equal(weights[..., np.triu_indices(5, 1)[0], np.triu_indices(5, 1)[1]], 0)


@pytest.mark.parametrize("kind", ["one head", "sliding", "all"])
def test_scores_far_apart_do_not_overflow(kind: str) -> None:
    attention, parameters = build(kind, np.float32)
    parameters.values *= 1e3
    y = attention.forward(random_vectors(1, 5, 6, dtype=np.float32))
    assert np.isfinite(y).all()
    assert np.isfinite(attention.backward(np.ones_like(y))).all()


@kinds
def test_backward_overwrites(kind: str) -> None:
    attention, parameters = build(kind)
    assert_overwrites(attention, parameters, random_vectors(2, 4, 6))


@kinds
def test_float32_stays(kind: str) -> None:
    attention, parameters = build(kind, np.float32)
    assert_stays_float32(attention, parameters, random_vectors(2, 4, 6, dtype=np.float32))
    for layer in (*attention.q_layers, *attention.k_layers):
        kept = [array for array in vars(layer).values() if isinstance(array, np.ndarray)]
        assert {array.dtype for array in kept} == {np.dtype(np.float32)}


@kinds
def test_results_do_not_depend_on_the_shapes_before(kind: str) -> None:
    attention, parameters = build(kind)
    assert_forgets_shapes(attention, parameters, lambda b, t: random_vectors(b, t, 6))
