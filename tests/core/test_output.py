from typing import Any

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

from tinychat.core.embedding import Embedding
from tinychat.core.output import OutputProjection
from tinychat.core.parameters import Parameters

KINDS: dict[str, dict[str, Any]] = {
    "default": {},
    "without bias": {"output_bias": False},
    "capped": {"logit_softcap": 2.0},
    "tied": {"tie_embeddings": True},
    "tied, capped, without bias": {"tie_embeddings": True, "logit_softcap": 2.0, "output_bias": False},
}
kinds = pytest.mark.parametrize("kind", list(KINDS))


def build(kind: str = "default", dtype: DTypeLike = np.float64) -> tuple[OutputProjection, Parameters]:
    """With the token embedding among the parameters if it is the output's weight."""
    config = small_config(positions="none", **KINDS[kind])
    embedding = Embedding.specs(config, "embedding") if config.tie_embeddings else []
    parameters = Parameters([*embedding, *OutputProjection.specs(config, "output")], dtype)
    randomise(parameters)
    return OutputProjection(parameters.scope("output"), config, parameters.scope("embedding")), parameters


@kinds
def test_forward_is_the_definition(kind: str) -> None:
    output, parameters = build(kind)
    w = dict(parameters.views(parameters.values))
    x = random_vectors(2, 3, 6)
    logits = output.forward(x)
    assert logits.shape == (2, 3, 7)
    z = x @ (w["embedding.w_token"].T if "tied" in kind else w["output.w_out"])
    if "without bias" not in kind:
        z += w["output.b_out"]
    np.testing.assert_allclose(logits, 2 * np.tanh(z / 2) if "capped" in kind else z, rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("default", ["output.w_out", "output.b_out"]),
        ("without bias", ["output.w_out"]),
        ("tied", ["embedding.w_token", "output.b_out"]),
        ("tied, capped, without bias", ["embedding.w_token"]),
    ],
)
def test_parameters(kind: str, names: list[str]) -> None:
    assert [spec.name for spec in build(kind)[1].specs] == names


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_logit_is_beyond_the_cap(dtype: DTypeLike) -> None:
    output, _ = build("capped", dtype)
    x = 1e3 * random_vectors(2, 3, 6).astype(dtype)
    logits = output.forward(x)
    assert np.abs(logits).max() <= 2
    np.testing.assert_allclose(np.abs(logits), 2, rtol=1e-6)
    np.testing.assert_allclose(output.backward(np.ones_like(logits)), 0, atol=1e-6)


@kinds
def test_gradients(kind: str) -> None:
    output, parameters = build(kind)
    assert_gradients(output, parameters, random_vectors(2, 3, 6))


@pytest.mark.parametrize("kind", ["default", "tied"])
def test_gradient_of_the_bias_is_the_plain_sum(kind: str) -> None:
    """RustGPT divides it by the length, twice."""
    output, _ = build(kind)
    output.forward(random_vectors(2, 3, 6))
    dlogits = random_vectors(2, 3, 7)
    output.backward(dlogits)
    np.testing.assert_allclose(output.db_out, dlogits.sum(axis=(0, 1)), rtol=1e-12)


@kinds
def test_no_place_at_all(kind: str) -> None:
    """Nothing of a batch may count in the loss: then there are no logits, and every gradient is 0."""
    output, parameters = build(kind)
    parameters.grads[...] = np.nan
    logits = output.forward(np.empty((1, 0, 6)))
    assert logits.shape == (1, 0, 7)
    assert output.backward(logits).shape == (1, 0, 6)
    np.testing.assert_array_equal(parameters.grads, 0)


@kinds
def test_backward_overwrites(kind: str) -> None:
    output, parameters = build(kind)
    assert_overwrites(output, parameters, random_vectors(2, 3, 6))


@kinds
def test_float32_stays(kind: str) -> None:
    output, parameters = build(kind, np.float32)
    assert_stays_float32(output, parameters, random_vectors(2, 3, 6, dtype=np.float32))


@kinds
def test_results_do_not_depend_on_the_shapes_before(kind: str) -> None:
    output, parameters = build(kind)
    assert_forgets_shapes(output, parameters, lambda b, t: random_vectors(b, t, 6))
