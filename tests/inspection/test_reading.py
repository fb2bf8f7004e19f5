import numpy as np
import pytest

from tinychat.errors import UsageError
from tinychat.inspection.reading import checked, copied, likeliest, probabilities
from tinychat.model import Model


def test_a_copy_is_the_same_and_shares_nothing(member: Model) -> None:
    ids = np.array([[3, 4, 5]])
    expected = member.transformer.forward(ids).copy()
    copy = copied(member)
    member.transformer.parameters.values += 1
    np.testing.assert_array_equal(copy.transformer.forward(ids), expected)
    assert (copy.tokenizer, copy.card) == (member.tokenizer, member.card)
    assert copy.transformer.parameters.values.dtype == np.float32


def test_ids_become_a_batch_of_one_row(model: Model) -> None:
    assert checked(model, [3, 4]).tolist() == [[3, 4]]
    with pytest.raises(UsageError, match=r"25 tokens.*1 to 24"):
        checked(model, [3] * 25)
    with pytest.raises(UsageError, match="vocabulary"):
        checked(model, [model.config.vocab_size])


def test_probabilities_leave_the_logits_as_they_are() -> None:
    logits = np.float32([[0, 80, 0], [-1e4, 0, 1e4]])
    chances = probabilities(logits)
    assert logits.tolist() == [[0, 80, 0], [-1e4, 0, 1e4]]
    assert chances.dtype == np.float64
    np.testing.assert_allclose(chances[0], [np.exp(-80), 1, np.exp(-80)])
    assert chances[1].tolist() == [0, 0, 1]


def test_the_likeliest_of_equals_is_the_first() -> None:
    ids, chances = likeliest(np.array([[0.2, 0.3, 0.2, 0.3]]), 3)
    assert (ids.tolist(), chances.tolist()) == ([[1, 3, 0]], [[0.3, 0.3, 0.2]])
    assert likeliest(np.array([0.5, 0.5]), 9)[0].tolist() == [0, 1]
