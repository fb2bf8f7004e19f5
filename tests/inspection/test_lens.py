import numpy as np
import pytest
from by_hand import next_chances, states

from tinychat.errors import UsageError
from tinychat.inspection import logit_lens
from tinychat.model import Model

IDS = [7, 3, 9, 9, 12, 6, 8]


def test_every_layer_is_read_off_by_the_end_of_the_model(member: Model) -> None:
    n = member.config.vocab_size
    lens = logit_lens(member, IDS, n)
    assert lens.next_ids.shape == lens.probabilities.shape == (3, 7, n)
    found, _ = states(member, IDS)
    for layer, state in enumerate(found):
        expected = next_chances(member, state)
        np.testing.assert_allclose(
            lens.probabilities[layer], np.take_along_axis(expected, lens.next_ids[layer], axis=1), atol=1e-5
        )
    np.testing.assert_allclose(lens.probabilities.sum(axis=-1), 1, atol=1e-9)


def test_the_last_layer_says_what_the_model_says(member: Model) -> None:
    lens = logit_lens(member, IDS)
    logits = member.transformer.forward(np.array([IDS]))[0]
    assert (lens.next_ids[-1, :, 0] == logits.argmax(axis=-1)).all()
    assert (np.diff(lens.probabilities, axis=-1) <= 0).all()


def test_tokens_are_those_of_the_ids(model: Model) -> None:
    lens = logit_lens(model, IDS, 2)
    assert lens.ids == tuple(IDS)
    assert lens.tokens == tuple(map(model.tokenizer.shown, IDS))
    for layer in range(3):
        for place in range(7):
            expected = [model.tokenizer.shown(index) for index in lens.next_ids[layer, place]]
            assert list(lens.next_tokens[layer][place]) == expected


def test_layers_come_to_their_answer_one_after_the_other(learnt: Model) -> None:
    """What the end says of a learnt answer, the embedding cannot know: it has seen the last word alone."""
    tokenizer = learnt.tokenizer
    ids = tokenizer.encode("User: Who sleeps? Assistant: The cat")
    lens = logit_lens(learnt, ids)
    assert lens.next_tokens[-1][-1][0] == "sleeps"
    assert lens.probabilities[-1, -1, 0] > 0.8
    first = dict(zip(lens.next_tokens[0][-1], lens.probabilities[0, -1], strict=True))
    assert first.get("sleeps", 0) < 0.5


def test_no_more_than_all_tokens(model: Model) -> None:
    assert logit_lens(model, IDS, 10**6).next_ids.shape == (3, 7, model.config.vocab_size)


def test_what_cannot_be_is_refused(model: Model) -> None:
    with pytest.raises(UsageError, match="24"):
        logit_lens(model, [1] * 25)
    with pytest.raises(UsageError, match="likeliest 0"):
        logit_lens(model, IDS, 0)
