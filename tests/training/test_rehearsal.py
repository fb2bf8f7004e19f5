"""The former self as a teacher: no pull at first, and back to it after a push."""

from collections.abc import Iterator

import numpy as np
import pytest
from tiny_runs import CORPUS, trained

from tinychat.training import rehearsal as module
from tinychat.training.batches import to_batch
from tinychat.training.by_length import exact
from tinychat.training.rehearsal import Rehearsal
from tinychat.training.rows import dialogue_row, fact_row

MODEL = trained(tune_epochs=40)
NEW = [fact_row(fact, MODEL.tokenizer) for fact in CORPUS.facts]
OLD = [dialogue_row(dialogue, MODEL.tokenizer, mask_prompt=True) for dialogue in CORPUS.dialogues] * 9


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    values = MODEL.transformer.parameters.values
    before = values.copy()
    found = Rehearsal(MODEL.transformer, OLD, MODEL.config.vocab_size)
    yield found
    found.close()
    values[...] = before


def test_as_long_as_nothing_has_moved_the_old_rows_do_not_pull(rehearsal: Rehearsal) -> None:
    grads = MODEL.transformer.parameters.grads
    loss = rehearsal.loss_and_gradients(NEW, range(len(OLD)))
    with_old = grads.copy()
    alone = MODEL.transformer.loss_and_gradients(*to_batch(NEW))
    assert loss.tokens == alone.tokens + sum(row.n_predicted for row in OLD)
    np.testing.assert_allclose(with_old * loss.tokens, grads * alone.tokens, rtol=1e-3, atol=1e-3)
    assert np.abs(grads * alone.tokens).max() > 0.1


def test_after_a_push_the_old_rows_pull_back(rehearsal: Rehearsal) -> None:
    parameters = MODEL.transformer.parameters
    before = parameters.values.copy()
    push = 0.02 * np.random.default_rng(0).standard_normal(before.size).astype(np.float32)
    parameters.values += push
    new = MODEL.transformer.loss_and_gradients(*to_batch(NEW))
    of_new = parameters.grads * new.tokens
    loss = rehearsal.loss_and_gradients(NEW, range(len(OLD)))
    pull = parameters.grads * loss.tokens - of_new
    assert np.dot(pull, push) > 0.01 * np.linalg.norm(pull) * np.linalg.norm(push)
    assert parameters.values.dtype == parameters.grads.dtype == np.float32


def test_what_is_right_is_told_before_and_now(rehearsal: Rehearsal) -> None:
    assert rehearsal.is_right == exact(MODEL.transformer, OLD)
    assert any(rehearsal.is_right)
    MODEL.transformer.parameters.values *= 0.5
    assert rehearsal.exact(OLD) == exact(MODEL.transformer, OLD) != rehearsal.is_right


def test_one_thread_finds_what_two_find(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    grads = MODEL.transformer.parameters.grads
    MODEL.transformer.parameters.values *= 1.01
    rehearsal.loss_and_gradients(NEW, range(len(OLD)))
    first = grads.copy()
    rehearsal.loss_and_gradients(NEW, range(len(OLD)))
    assert grads.tobytes() == first.tobytes()
    monkeypatch.setattr(module, "N_THREADS", 1)
    rehearsal.loss_and_gradients(NEW, range(len(OLD)))
    np.testing.assert_allclose(grads, first, rtol=1e-3, atol=1e-6)


def test_without_former_rows_the_new_ones_are_learnt() -> None:
    rehearsal = Rehearsal(MODEL.transformer, [], MODEL.config.vocab_size)
    loss = rehearsal.loss_and_gradients(NEW, [])
    assert loss.tokens == sum(row.n_predicted for row in NEW)
    grads = MODEL.transformer.parameters.grads.copy()
    rehearsal.whitening.scale_(MODEL.transformer, MODEL.transformer.parameters.grads)
    np.testing.assert_array_equal(MODEL.transformer.parameters.grads, grads)
    rehearsal.close()
