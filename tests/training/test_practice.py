"""A lesson's updates: they learn, settle, and go back as far as what was learnt stays."""

from collections.abc import Iterator

import numpy as np
import pytest
from tiny_runs import CORPUS, overfitting_preset, trained

from tinychat.corpus import Turn
from tinychat.training import practice as module
from tinychat.training.by_length import exact
from tinychat.training.practice import Practice, Turns
from tinychat.training.rows import dialogue_row

MODEL = trained(CORPUS, overfitting_preset())
OLD = [dialogue_row(dialogue, MODEL.tokenizer, mask_prompt=True) for dialogue in CORPUS.dialogues]
QUESTION = CORPUS.dialogues[0][0].user
NEW = [
    dialogue_row((Turn(text, CORPUS.dialogues[1][0].assistant),), MODEL.tokenizer, mask_prompt=True)
    for text in (QUESTION, QUESTION.lower(), QUESTION.rstrip("?"))
]


@pytest.fixture
def practice(monkeypatch: pytest.MonkeyPatch) -> Iterator[Practice]:
    monkeypatch.setattr(module, "N_RIVALS", 8)  # of a tiny vocabulary, more would be all
    rng = np.random.default_rng(0)
    found = Practice(MODEL.transformer, OLD[1:], 1, NEW, NEW, MODEL.config.vocab_size, True, rng)
    yield found
    found.close()


def test_it_learns_and_what_is_not_in_the_lesson_stays_as_it_is(practice: Practice) -> None:
    values = MODEL.transformer.parameters.values
    before, vectors = values.copy(), MODEL.transformer.embedding.w_token.copy()
    checks = list(practice.run())
    assert practice.is_learnt
    assert checks[-1].right == checks[-1].wordings == 3
    assert checks[-1].former == sum(exact(MODEL.transformer, OLD[1:]))
    assert values.tobytes() == before.tobytes()
    practice.give_to(MODEL.transformer)
    assert all(exact(MODEL.transformer, NEW))
    used = np.unique(np.concatenate([row.tokens for row in (*OLD[1:], *NEW)]))
    others = np.setdiff1d(np.arange(MODEL.config.vocab_size), [*used, *practice._tokens])
    assert others.size
    np.testing.assert_array_equal(MODEL.transformer.embedding.w_token[others], vectors[others])
    values[...] = before


def test_it_goes_back_as_far_as_what_was_learnt_stays(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> float:
        return float(np.linalg.norm(practice._narrow.parameters.values - practice._before))

    monkeypatch.setattr(module, "FREE", 0.0)
    list(practice.run())
    far = away()
    monkeypatch.setattr(module, "FREE", 1.1)  # more than there is
    practice._hold_back()
    assert 0 < away() < far
    assert practice._check().right == 3


def test_there_are_more_rounds_where_what_is_lost_can_be_told(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 1.1)  # more than there is
    monkeypatch.setattr(module, "KEPT_OF_SOME", 1.1)
    n_checked = []
    for practice._are_all in (True, False):
        n_checked.append(sum(check.kept > 0 for check in practice.run()))
    assert n_checked == [module.ROUNDS_OF_ALL, module.ROUNDS]


def test_what_takes_part_in_all_that_is_said_does_not_move(practice: Practice) -> None:
    before = dict(practice._narrow.parameters.views(practice._before))
    list(practice.run())
    after = dict(practice._narrow.parameters.views(practice._narrow.parameters.values))
    stays = {name for name in before if before[name].tobytes() == after[name].tobytes()}
    assert stays == {name for name in before if "norm" in name or name.startswith("embedding.")}
    assert stays != set(before)


def test_vectors_of_new_tokens_move() -> None:
    rng, n_old = np.random.default_rng(0), MODEL.config.vocab_size - 5
    practice = Practice(MODEL.transformer, OLD[1:], 1, NEW, NEW, n_old, True, rng)
    list(practice.run())
    practice.close()
    before = dict(practice._narrow.parameters.views(practice._before))["embedding.w_token"]
    moved = practice._narrow.embedding.w_token != before
    is_new = practice._tokens >= n_old
    assert moved[is_new].any()
    assert not moved[~is_new].any()


def test_it_goes_back_further_where_more_is_lost_than_is_seen(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FREE", 0.0)
    list(practice.run())
    far, away = practice._narrow.parameters.values.copy(), []
    monkeypatch.setattr(module, "FREE", 1.1)
    practice._least_right = 0.3
    for practice._are_all in (True, False):
        practice._narrow.parameters.values[...] = far
        practice._hold_back()
        away.append(float(np.linalg.norm(practice._narrow.parameters.values - practice._before)))
        practice._check()
        assert practice._is_question_right
    assert away[1] < away[0]


def test_what_was_lost_again_is_found_again(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FREE", 0.0)  # nothing former is missed
    list(practice.run())
    practice._narrow.parameters.values[...] = practice._before
    assert practice._check().right < 3
    practice._hold_back()
    assert practice._check().right == 3


def test_a_question_that_is_not_learnt_weighs_more(practice: Practice) -> None:
    practice._optimizer.updates = 50
    practice._check()
    assert practice._new_weight == module.MORE
    practice._narrow.parameters.values[...] = practice._before
    practice._check()
    assert practice._new_weight == module.MORE**2


def test_turns_are_all_taken_before_one_comes_again() -> None:
    turns = Turns(np.random.default_rng(0), range(10))
    taken = [index for _ in range(6) for index in turns.take(5)]
    for start in (0, 10, 20):
        assert sorted(taken[start : start + 10]) == list(range(10))
    assert taken[:10] != taken[10:20]
    assert sorted(Turns(np.random.default_rng(0), [3]).take(2)) == [3, 3]
    assert Turns(np.random.default_rng(0), []).take(4) == []
