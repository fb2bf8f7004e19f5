import numpy as np
import pytest
from by_hand import states

from tinychat.errors import UsageError
from tinychat.inspection import attention_maps
from tinychat.model import Model

IDS = [7, 3, 9, 9, 12, 6, 8]


def test_maps_are_those_of_a_computation_place_by_place(member: Model) -> None:
    maps = attention_maps(member, IDS)
    _, expected = states(member, IDS)
    assert maps.weights.shape == (2, member.config.n_heads, 7, 7)
    np.testing.assert_allclose(maps.weights, expected, atol=2e-5)


def test_rows_sum_to_1_and_nobody_looks_ahead(member: Model) -> None:
    weights = attention_maps(member, IDS).weights
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    assert (np.triu(weights, 1) == 0).all()
    for layer in range(member.config.n_layers):
        if member.config.is_sliding(layer):
            assert (np.tril(weights[layer], -3) == 0).all()
            assert (weights[layer, :, 5, 3] > 0).all()


def test_tokens_are_the_labels(model: Model) -> None:
    ids = [*model.tokenizer.encode("What falls? Nonsense"), model.tokenizer.end_id]
    maps = attention_maps(model, ids)
    assert maps.ids == tuple(ids)
    assert maps.tokens == ("What", "falls", "?", "<unk>", "</s>")


def test_maps_stay_as_they_are_when_the_model_goes_on(model: Model) -> None:
    maps = attention_maps(model, IDS)
    kept = maps.weights.copy()
    model.transformer.forward(np.array([[3, 4, 5, 6, 7, 8, 9]]))
    attention_maps(model, IDS[::-1])
    assert (maps.weights == kept).all()


def test_looking_does_not_disturb_an_update_under_way(model: Model) -> None:
    """Between a forward and its backward, as when it is asked for from another thread."""
    transformer = model.transformer
    ids = np.array([IDS[:-1]])
    targets = np.array([IDS[1:]])
    transformer.loss_and_gradients(ids, targets)
    expected = transformer.parameters.grads.copy()
    transformer.cross_entropy.forward(transformer.forward(ids), targets)
    dlogits = transformer.cross_entropy.backward()
    attention_maps(model, [5, 5, 5])
    transformer.backward(dlogits)
    np.testing.assert_array_equal(transformer.parameters.grads, expected)


@pytest.mark.parametrize("ids", [[], [1] * 25, [10_000], [-1]])
def test_what_cannot_be_read_is_refused(model: Model, ids: list[int]) -> None:
    with pytest.raises(UsageError):
        attention_maps(model, ids)


def test_one_token_and_a_full_context(model: Model) -> None:
    assert (attention_maps(model, [4]).weights == 1).all()
    assert attention_maps(model, [4] * 24).weights.shape == (2, 1, 24, 24)
