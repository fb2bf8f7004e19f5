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
    small_batch,
    small_config,
)
from numpy.typing import DTypeLike

from tinychat.core import embedding as module
from tinychat.core.dropout import Draws
from tinychat.core.embedding import Embedding, sinusoids
from tinychat.core.parameters import Ids, Parameters

KINDS: dict[str, dict[str, Any]] = {
    "learned": {},
    "sinusoidal": {"positions": "sinusoidal"},
    "none": {"positions": "none"},
    "rope": {"positions": "rope"},
    "scale": {"embedding_scale": True},
    "scaled without positions": {"embedding_scale": True, "positions": "none"},
}
kinds = pytest.mark.parametrize("kind", list(KINDS))


def build(
    kind: str = "learned", dtype: DTypeLike = np.float64, draws: Draws | None = None, **changes: Any
) -> tuple[Embedding, Parameters]:
    config = small_config(**KINDS[kind], **changes)
    parameters = randomise(Parameters(Embedding.specs(config, "embedding"), dtype))
    return Embedding(parameters.scope("embedding"), config, draws or Draws()), parameters


def some_ids(b: int, t: int) -> Ids:
    return np.random.default_rng(0).integers(0, 7, (b, t))


@kinds
def test_a_vector_is_the_sum_of_token_and_position(kind: str) -> None:
    embedding, _ = build(kind)
    ids, _ = small_batch()
    y = embedding.forward(ids)
    assert y.shape == (2, 5, 6)
    scale = 6**0.5 if "scale" in kind else 1
    for b, t in np.ndindex(ids.shape):
        wanted = scale * embedding.w_token[ids[b, t]]
        if kind in ("learned", "scale"):
            assert embedding.w_position is not None
            wanted = wanted + embedding.w_position[t]
        elif kind == "sinusoidal":
            angles = [t / 10_000 ** (2 * i / 6) for i in range(3)]
            wanted = wanted + [f(angle) for angle in angles for f in (np.sin, np.cos)]
        np.testing.assert_allclose(y[b, t], wanted, rtol=1e-15, atol=1e-15)


@kinds
def test_only_learned_positions_are_parameters(kind: str) -> None:
    _, parameters = build(kind)
    shapes = {"embedding.w_token": (7, 6)}
    if kind in ("learned", "scale"):
        shapes["embedding.w_position"] = (6, 6)
    assert {spec.name: spec.shape for spec in parameters.specs} == shapes


def test_sinusoids_are_turned_by_one_place_alike_everywhere() -> None:
    """The reason to have them: what stands n places further is a rotation that does not depend on where."""
    pairs = sinusoids(50, 8).reshape(50, 4, 2)
    z = pairs[..., 1] + 1j * pairs[..., 0]
    np.testing.assert_allclose(np.abs(z), 1, rtol=1e-14)
    turns = z[1:] / z[:-1]
    np.testing.assert_allclose(turns, np.broadcast_to(turns[0], turns.shape), rtol=1e-12)
    np.testing.assert_allclose(np.angle(turns[0]), 10_000.0 ** (-np.arange(4) / 4), rtol=1e-12)


def test_a_scaled_embedding_begins_as_long_as_one_that_is_not() -> None:
    lengths = []
    for scale in (False, True):
        config = small_config(vocab_size=500, embedding_scale=scale, positions="none")
        parameters = Parameters(Embedding.specs(config, "e")).initialise(np.random.default_rng(0))
        y = Embedding(parameters.scope("e"), config, Draws()).forward(np.arange(500)[None])
        lengths.append(np.linalg.norm(y))
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-6)


@kinds
def test_gradients_with_repeated_tokens(kind: str) -> None:
    embedding, parameters = build(kind)
    assert_gradients(embedding, parameters, small_batch()[0])


def test_gradients_with_dropout() -> None:
    draws = Draws()
    embedding, parameters = build("scale", draws=draws, dropout=0.3)
    layer = Redrawn(embedding, draws)
    assert 0 < (layer.forward(small_batch()[0]) == 0).mean() < 1
    assert_gradients(layer, parameters, small_batch()[0])


@pytest.mark.parametrize(("kind", "scale"), [("learned", 1), ("scale", 6**0.5)])
def test_a_repeated_token_gets_the_sum_over_its_places(kind: str, scale: float) -> None:
    embedding, _ = build(kind)
    assert embedding.dw_position is not None
    ids = np.array([[3, 1, 3, 3]])
    dy = random_vectors(*embedding.forward(ids).shape)
    embedding.backward(dy)
    np.testing.assert_allclose(embedding.dw_token[3], scale * (dy[0, 0] + dy[0, 2] + dy[0, 3]), rtol=1e-14)
    np.testing.assert_array_equal(embedding.dw_token[[0, 2, 4, 5, 6]], 0)
    np.testing.assert_array_equal(embedding.dw_position[:4], dy[0])
    np.testing.assert_array_equal(embedding.dw_position[4:], 0)


@kinds
@pytest.mark.parametrize("is_tied", [False, True])
def test_among_few_places_and_among_many_the_sums_are_the_same(
    kind: str, is_tied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dy, left = random_vectors(2, 6, 6), random_vectors(7, 6, seed=3)
    found = []
    for few in (12, 11):
        monkeypatch.setattr(module, "FEW", few)
        embedding, parameters = build(kind, tie_embeddings=is_tied)
        embedding.dw_token[...] = left
        embedding.forward(some_ids(2, 6))
        embedding.backward(dy)
        found.append(parameters.grads)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-14, atol=1e-14)


@kinds
def test_a_tied_embedding_adds_to_what_the_output_projection_left(kind: str) -> None:
    (plain, _), (tied, _) = build(kind), build(kind, tie_embeddings=True)
    ids, _ = small_batch()
    dy = random_vectors(2, 5, 6)
    left = random_vectors(7, 6, seed=3)
    for embedding in (plain, tied):
        embedding.dw_token[...] = left
        embedding.forward(ids)
        embedding.backward(dy)
    np.testing.assert_allclose(tied.dw_token, left + plain.dw_token, rtol=1e-14)
    np.testing.assert_array_equal(tied.dw_token[4], left[4])  # a token that is not there


@kinds
def test_backward_overwrites(kind: str) -> None:
    embedding, parameters = build(kind)
    assert_overwrites(embedding, parameters, small_batch()[0])


@kinds
def test_float32_stays(kind: str) -> None:
    embedding, parameters = build(kind, np.float32)
    assert_stays_float32(embedding, parameters, small_batch()[0])


@kinds
def test_results_do_not_depend_on_the_shapes_before(kind: str) -> None:
    embedding, parameters = build(kind)
    assert_forgets_shapes(embedding, parameters, some_ids)


@kinds
@pytest.mark.parametrize("length", [1, 6])
def test_shortest_and_longest_row(kind: str, length: int) -> None:
    embedding, _ = build(kind)
    assert embedding.forward(some_ids(1, length)).shape == (1, length, 6)
