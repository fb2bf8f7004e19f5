"""A copy with more words says what the old model says of the old ones."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_runs import CORPUS, PRESET, state, trained

from tinychat.training.growing import grown, narrowed, widen_


@pytest.mark.parametrize("tied", [False, True])
def test_old_tokens_have_their_old_logits(tied: bool) -> None:
    preset = replace(PRESET, model={**PRESET.model, "tie_embeddings": tied})
    model = trained(CORPUS, preset, ema_decay=0.5)
    before = state(model)
    copy = grown(model, model.tokenizer.grown("Dogs bark."), np.random.default_rng(0))
    V = model.config.vocab_size
    assert copy.config.vocab_size == V + 2
    ids = np.arange(2, 10)[None]
    np.testing.assert_allclose(
        copy.transformer.forward(ids)[..., :V], model.transformer.forward(ids), rtol=1e-4, atol=1e-5
    )
    assert copy.transformer.forward(np.array([[V, V + 1]])).std() > 0
    assert copy.optimizer is not None
    assert model.optimizer is not None
    assert copy.optimizer.updates == model.optimizer.updates
    for vector in (*copy.optimizer.state.values(), *copy.extras.values()):
        assert vector.shape == (copy.n_parameters,)
    copy.transformer.parameters.values[...] = 0
    assert state(model) == before


def test_without_new_words_it_is_the_same_to_the_bit() -> None:
    model = trained()
    copy = grown(model, model.tokenizer, np.random.default_rng(0))
    assert state(copy) == state(model)
    assert copy.transformer.parameters.values is not model.transformer.parameters.values


@pytest.mark.parametrize("tied", [False, True])
def test_a_narrow_one_says_the_same_of_its_tokens(tied: bool) -> None:
    transformer = trained(CORPUS, replace(PRESET, model={**PRESET.model, "tie_embeddings": tied})).transformer
    tokens = np.array([1, 4, 5, 9])
    narrow = narrowed(transformer, tokens)
    assert narrow.config.vocab_size == 4
    ids = np.array([[0, 2, 3, 1]])
    before = transformer.forward(tokens[ids]).copy()
    np.testing.assert_allclose(narrow.forward(ids), before[..., tokens], rtol=1e-4, atol=1e-5)
    vectors = transformer.embedding.w_token.copy()
    narrow.parameters.values += 0.01
    widen_(narrow, transformer, tokens)
    np.testing.assert_allclose(
        narrow.forward(ids), transformer.forward(tokens[ids])[..., tokens], rtol=1e-4, atol=1e-5
    )
    has_moved = (transformer.embedding.w_token != vectors).any(axis=1)
    assert np.flatnonzero(has_moved).tolist() == tokens.tolist()
