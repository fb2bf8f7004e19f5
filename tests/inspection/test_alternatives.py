import math

import numpy as np
import pytest
from by_hand import next_chances, softmax, states
from inspected import build

from tinychat.core.parameters import Floats
from tinychat.errors import UsageError
from tinychat.inspection import alternatives
from tinychat.inspection.alternatives import entropy
from tinychat.model import Model


def all_chances(model: Model, ids: tuple[int, ...]) -> Floats:
    """(T, V), from the logits that the model itself gives."""
    logits = model.transformer.forward(np.array([ids]))[0].astype(np.float64)
    return np.array([softmax(row) for row in logits])


def test_figures_are_those_of_the_whole_distribution(member: Model) -> None:
    found = alternatives(member, "What falls?", "Birds sings slowly!", n=4)
    said = found.exchange
    first, N = len(said.prompt_ids) - 1, len(said.answer_ids)
    chances = all_chances(member, said.read)[first:]
    assert found.ids.shape == found.probabilities.shape == (N, 4) == (5, 4)
    for place, written in enumerate(said.answer_ids):
        row = chances[place]
        order = sorted(range(len(row)), key=lambda index: (-row[index], index))
        assert found.ids[place].tolist() == order[:4]
        assert found.tokens[place] == tuple(map(member.tokenizer.shown, order[:4]))
        np.testing.assert_allclose(found.probabilities[place], row[order[:4]], rtol=1e-6)
        assert found.probability[place] == pytest.approx(row[written], rel=1e-6)
        assert found.rank[place] == order.index(written) + 1
        assert found.entropy[place] == pytest.approx(-sum(p * math.log(p) for p in row), rel=1e-6)
    assert found.sampled is None


def test_probabilities_are_those_of_the_textbook(member: Model) -> None:
    found = alternatives(member, "Who sings?", "Rain.")
    state = states(member, list(found.exchange.read))[0][-1]
    expected = next_chances(member, state)[len(found.exchange.prompt_ids) - 1 :]
    np.testing.assert_allclose(
        found.probabilities, np.take_along_axis(expected, found.ids, axis=1), atol=1e-5
    )


def test_the_models_own_answer_is_always_the_likeliest(learnt: Model) -> None:
    found = alternatives(learnt, "Who runs?")
    assert found.exchange.answer_tokens == ("The", "cat", "runs", ".", "</s>")
    assert (found.rank == 1).all()
    assert (found.probability == found.probabilities[:, 0]).all()
    assert (found.probability > 0.5).all()


def test_a_wrong_answer_surprises(learnt: Model) -> None:
    found = alternatives(learnt, "Who runs?", "The house runs.")
    assert found.rank[0] == 1
    assert found.rank[1] > 1
    assert found.probability[1] < 0.1 < found.probability[0]
    assert found.tokens[1][0] == "cat"


def test_equally_likely_tokens_come_in_order() -> None:
    model = build()
    model.transformer.parameters.values.fill(0)
    found = alternatives(model, "What?", [9, 3, 0])
    assert found.ids.tolist() == [[0, 1, 2, 3, 4]] * 3
    assert found.rank.tolist() == [10, 4, 1]
    np.testing.assert_allclose(found.entropy, math.log(model.config.vocab_size))


def test_logits_too_far_apart_for_a_softmax_without_care(model: Model) -> None:
    model.transformer.parameters.scope("output")["b_out"][9] = 5000
    found = alternatives(model, "What?", [9, 8])
    assert found.probability.tolist() == [1, 0]
    assert found.entropy.tolist() == [0, 0]
    assert math.copysign(1, found.entropy[0]) == 1


def test_what_a_sampler_cuts(model: Model) -> None:
    seen: list[list[int]] = []

    def two_likeliest(logits: Floats, earlier: list[int]) -> Floats:
        """Half and half."""
        seen.append(earlier)
        drawn = np.zeros(len(logits))
        drawn[np.argsort(-logits, kind="stable")[:2]] = 0.5
        return drawn

    found = alternatives(model, "What falls?", "Rain.", n=3, distribution=two_likeliest)
    assert found.sampled is not None
    assert found.sampled.probabilities.tolist() == [[0.5, 0.5, 0]] * 3
    assert found.sampled.left.tolist() == [2, 2, 2]
    assert ((found.sampled.probability > 0) == (found.rank <= 2)).all()
    rain, full_stop, _ = found.exchange.answer_ids
    assert seen == [[], [rain], [rain, full_stop]]


def test_entropy_of_what_is_known() -> None:
    chances = np.array([[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(entropy(chances), [0, math.log(4), math.log(2)])


def test_none_cannot_be_told(model: Model) -> None:
    with pytest.raises(UsageError, match="likeliest 0"):
        alternatives(model, "What?", n=0)
    assert alternatives(model, "What?", n=10**6).ids.shape[1] == model.config.vocab_size
