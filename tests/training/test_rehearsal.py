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
ALL_OLD, ALL_NEW = range(len(OLD)), range(len(OLD), len(OLD) + len(NEW))


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    values = MODEL.transformer.parameters.values
    before = values.copy()
    found = Rehearsal(MODEL.transformer, OLD, NEW, MODEL.config.vocab_size)
    yield found
    found.close()
    values[...] = before


def test_as_long_as_nothing_has_moved_the_old_rows_do_not_pull(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SURE", 0.0)
    grads = MODEL.transformer.parameters.grads
    loss = rehearsal.loss_and_gradients(ALL_OLD)
    assert loss.tokens == sum(row.n_predicted for row in OLD)
    assert np.abs(grads).max() < 1e-5
    rehearsal.loss_and_gradients(ALL_NEW)
    assert np.abs(grads).max() > 0.01


def test_the_new_rows_pull_to_the_right_tokens(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CERTAINTY", 1.0)
    grads = MODEL.transformer.parameters.grads
    loss = rehearsal.loss_and_gradients(ALL_NEW)
    found = grads.copy()
    alone = MODEL.transformer.loss_and_gradients(*to_batch(NEW))
    assert loss.tokens == alone.tokens
    np.testing.assert_allclose(found, grads, rtol=1e-3, atol=1e-6)
    rehearsal.loss_and_gradients(ALL_NEW, new_weight=2.0)
    np.testing.assert_allclose(grads, 2 * found, rtol=1e-3, atol=1e-6)


def test_after_a_push_the_old_rows_pull_back(rehearsal: Rehearsal) -> None:
    parameters = MODEL.transformer.parameters
    before = parameters.values.copy()
    push = 0.02 * np.random.default_rng(0).standard_normal(before.size).astype(np.float32)
    parameters.values += push
    rehearsal.loss_and_gradients(ALL_OLD)
    pull = parameters.grads
    assert np.dot(pull, push) > 0.01 * np.linalg.norm(pull) * np.linalg.norm(push)
    assert parameters.values.dtype == parameters.grads.dtype == np.float32


def test_a_right_answer_gets_more_certain(rehearsal: Rehearsal) -> None:
    parameters = MODEL.transformer.parameters
    right = [index for index in ALL_OLD if rehearsal.is_right[index]]
    before = MODEL.transformer.loss(*to_batch([OLD[index] for index in right])).mean
    rehearsal.loss_and_gradients(right)
    parameters.values -= 0.01 * parameters.grads / np.linalg.norm(parameters.grads)
    assert MODEL.transformer.loss(*to_batch([OLD[index] for index in right])).mean < before


def test_what_is_right_is_told_before_and_now(rehearsal: Rehearsal) -> None:
    assert rehearsal.is_right == exact(MODEL.transformer, [*OLD, *NEW])
    assert any(rehearsal.is_right)
    MODEL.transformer.parameters.values *= 0.5
    assert rehearsal.exact(OLD) == exact(MODEL.transformer, OLD) != rehearsal.is_right[: len(OLD)]


def test_one_thread_finds_what_two_find(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    grads = MODEL.transformer.parameters.grads
    MODEL.transformer.parameters.values *= 1.01
    everything = [*ALL_OLD, *ALL_NEW]
    rehearsal.loss_and_gradients(everything)
    first = grads.copy()
    rehearsal.loss_and_gradients(everything)
    assert grads.tobytes() == first.tobytes()
    monkeypatch.setattr(module, "N_THREADS", 1)
    rehearsal.loss_and_gradients(everything)
    np.testing.assert_allclose(grads, first, rtol=1e-3, atol=1e-6)


def test_without_former_rows_the_new_ones_are_learnt() -> None:
    rehearsal = Rehearsal(MODEL.transformer, [], NEW, MODEL.config.vocab_size)
    loss = rehearsal.loss_and_gradients(range(len(NEW)))
    assert loss.tokens == sum(row.n_predicted for row in NEW)
    grads = MODEL.transformer.parameters.grads.copy()
    rehearsal.whitening.scale_(MODEL.transformer, MODEL.transformer.parameters.grads)
    np.testing.assert_array_equal(MODEL.transformer.parameters.grads, grads)
    rehearsal.close()
