import numpy as np
import pytest
from gradients import (
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

from tinychat.core.embedding import Embedding
from tinychat.core.parameters import Ids, Parameters


def build(dtype: DTypeLike = np.float64) -> tuple[Embedding, Parameters]:
    parameters = randomise(Parameters(Embedding.specs(small_config(), "embedding"), dtype))
    return Embedding(parameters.scope("embedding")), parameters


def some_ids(b: int, t: int) -> Ids:
    return np.random.default_rng(0).integers(0, 7, (b, t))


def test_a_vector_is_the_sum_of_token_and_position() -> None:
    embedding, _ = build()
    ids, _ = small_batch()
    y = embedding.forward(ids)
    assert y.shape == (2, 5, 6)
    for b, t in np.ndindex(ids.shape):
        np.testing.assert_array_equal(y[b, t], embedding.w_token[ids[b, t]] + embedding.w_position[t])


def test_gradients_with_repeated_tokens() -> None:
    embedding, parameters = build()
    assert_gradients(embedding, parameters, small_batch()[0])


def test_a_repeated_token_gets_the_sum_over_its_places() -> None:
    embedding, _ = build()
    ids = np.array([[3, 1, 3, 3]])
    dy = random_vectors(*embedding.forward(ids).shape)
    embedding.backward(dy)
    np.testing.assert_allclose(embedding.dw_token[3], dy[0, 0] + dy[0, 2] + dy[0, 3], rtol=1e-14)
    np.testing.assert_array_equal(embedding.dw_token[[0, 2, 4, 5, 6]], 0)
    np.testing.assert_array_equal(embedding.dw_position[4:], 0)


def test_backward_overwrites() -> None:
    embedding, parameters = build()
    assert_overwrites(embedding, parameters, small_batch()[0])


def test_float32_stays() -> None:
    embedding, parameters = build(np.float32)
    assert_stays_float32(embedding, parameters, small_batch()[0])


def test_results_do_not_depend_on_the_shapes_before() -> None:
    embedding, parameters = build()
    assert_forgets_shapes(embedding, parameters, some_ids)


@pytest.mark.parametrize("length", [1, 6])
def test_shortest_and_longest_row(length: int) -> None:
    embedding, _ = build()
    assert embedding.forward(some_ids(1, length)).shape == (1, length, 6)
