"""Which dialogues a model keeps: those that it answers by the least margin, and some from all over."""

import numpy as np
import pytest
from tiny_runs import CORPUS, start, trained

from tinychat.corpus import Turn
from tinychat.training import fragile
from tinychat.training.by_length import exact
from tinychat.training.fragile import margins, worth_rehearsing
from tinychat.training.rows import dialogue_row
from tinychat.training.workers import Workers

MODEL = trained(tune_epochs=40)
TEAM = Workers(MODEL.transformer, 1)
WRONG = [(Turn(dialogue[0].user, "Birds rain."),) for dialogue in CORPUS.dialogues]
DIALOGUES = [*WRONG, *CORPUS.dialogues]


def test_a_margin_is_above_0_where_the_answer_is_right() -> None:
    found = margins(DIALOGUES, TEAM, MODEL.tokenizer)
    rows = [dialogue_row(dialogue, MODEL.tokenizer, mask_prompt=True) for dialogue in DIALOGUES]
    assert [margin > 0 for margin in found] == exact(MODEL.transformer, rows)
    assert min(found) < 0 < max(found)
    assert margins([], TEAM, MODEL.tokenizer) == []


def test_it_is_the_least_lead_of_a_token() -> None:
    [found] = margins(DIALOGUES[-1:], TEAM, MODEL.tokenizer)
    row = dialogue_row(DIALOGUES[-1], MODEL.tokenizer, mask_prompt=True)
    logits = MODEL.transformer.forward(np.array([row.tokens[:-1]]))[0]
    leads = [
        logits[place, token] - np.delete(logits[place], token).max()
        for place, (token, counts) in enumerate(zip(row.tokens[1:], row.counts[1:], strict=True))
        if counts
    ]
    assert found == pytest.approx(min(leads), abs=1e-4)


def test_margins_do_not_depend_on_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragile, "_ROWS", 2)
    wanted = margins(DIALOGUES, TEAM, MODEL.tokenizer)
    with Workers(MODEL.transformer, 2) as two:
        assert margins(DIALOGUES, two, MODEL.tokenizer) == wanted


def test_the_most_fragile_right_ones_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worth_rehearsing(DIALOGUES, TEAM, MODEL.tokenizer) == DIALOGUES
    monkeypatch.setattr(fragile, "N_KEPT", 3)
    monkeypatch.setattr(fragile, "N_FRAGILE", 1)
    by_margin = dict(zip(DIALOGUES, margins(DIALOGUES, TEAM, MODEL.tokenizer), strict=True))
    right = [dialogue for dialogue in DIALOGUES if by_margin[dialogue] > 0]
    found = worth_rehearsing(DIALOGUES, TEAM, MODEL.tokenizer)
    assert len(found) == len(set(found)) == 3
    assert found[0] == min(right, key=lambda dialogue: by_margin[dialogue])
    monkeypatch.setattr(fragile, "N_FRAGILE", 2)
    assert (
        worth_rehearsing(DIALOGUES, TEAM, MODEL.tokenizer)[:2]
        == sorted(right, key=lambda dialogue: by_margin[dialogue])[:2]
    )


def test_the_others_are_from_all_over_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragile, "N_KEPT", 10)
    monkeypatch.setattr(fragile, "N_FRAGILE", 4)
    dialogues = [(Turn(f"Question {number}?", "Yes."),) for number in range(60)]
    monkeypatch.setattr(fragile, "margins", lambda read, *_: list(range(1, len(read) + 1)))
    found = worth_rehearsing(dialogues, TEAM, MODEL.tokenizer)
    assert found[:4] == dialogues[:4]
    places = [dialogues.index(dialogue) for dialogue in found[4:]]
    assert len(places) > 4
    assert places == sorted(places)
    assert places[-1] > 45


def test_a_trained_model_keeps_their_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinychat.training.run.worth_rehearsing", lambda dialogues, *_: dialogues[1:])
    run = start()
    list(run.run())
    assert run.model.card.rehearsal == [[t.user for t in dialogue] for dialogue in CORPUS.dialogues[1:]]
