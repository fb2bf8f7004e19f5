"""Answers cut to their beginning, and dialogues in pairs."""

from collections import Counter
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from tiny_rows import MANY, drawn, rows_of
from tiny_runs import DIALOGUES

from tinychat.corpus import Corpus, Dialogue, Turn
from tinychat.tokenizer import WordTokenizer, train_tokenizer
from tinychat.training.rows import BEGINNING, DialogueRows
from tinychat.training.vocabulary import ENOUGH

N_ALIKE = ENOUGH + 1
OTHERS: tuple[Dialogue, ...] = (
    *DIALOGUES,
    (Turn("And now?", "Rain falls, and the sun melts it. Birds sing."),),
)


def many_alike(**recipe: Any) -> DialogueRows:
    """N_ALIKE dialogues with one answer, and some others."""
    long = tuple((Turn(turn.user, "Rain falls, and the sun melts it all."),) for (turn,) in MANY[:N_ALIKE])
    tokenizer = WordTokenizer.train(Corpus("", dialogues=(*long, *OTHERS)).texts())
    return rows_of(tokenizer, (*long, *OTHERS), 96, **{"noise_from": N_ALIKE, "mask_prompt": True, **recipe})


def test_answers_to_many_questions_are_cut_to_their_beginning_and_no_others() -> None:
    rows = many_alike(cut_answers=1.0)
    lengths = set()
    for seed in range(20):
        for row, clean, many in zip(
            drawn(rows, seed), rows.clean, [True] * N_ALIKE + [False] * 4, strict=True
        ):
            assert row == clean.cut(len(row.tokens))
            if many:
                lengths.add(row.n_predicted)
            else:
                assert row is clean
    assert lengths == set(range(BEGINNING[0], BEGINNING[1] + 1))


def test_the_share_of_answers_that_are_cut() -> None:
    rows = many_alike(cut_answers=0.3)
    cut = [
        row != clean
        for seed in range(100)
        for row, clean in zip(drawn(rows, seed)[:ENOUGH], rows.clean[:ENOUGH], strict=True)
    ]
    assert np.mean(cut) == pytest.approx(0.3, abs=0.05)


def test_without_a_mask_nothing_is_cut() -> None:
    rows = many_alike(cut_answers=1.0, mask_prompt=False)
    assert drawn(rows) == rows.clean


def test_dialogues_in_pairs_stay_whole_and_the_first_answer_counts_as_it_would_alone() -> None:
    rows = many_alike(cut_answers=1.0, joined=1.0)
    found = []
    for row in (row for seed in range(10) for row in drawn(rows, seed)):
        pair = next(
            ((a, b) for a, b in permutations(rows.clean, 2) if a.tokens + b.tokens == row.tokens), None
        )
        if pair is None:
            assert row in rows.clean[N_ALIKE:] or row.n_predicted <= BEGINNING[1]
            continue
        first, second = pair
        n = row.n_predicted - second.n_predicted
        rest = [False] * (first.n_predicted - n)
        assert row.counts == first.counts[: len(first.counts) - len(rest)] + rest + second.counts
        found.append(n)
    assert set(found) == set(range(BEGINNING[0], BEGINNING[1] + 1))


@pytest.mark.parametrize("noise", ["typos", "careless", "joined", "cut_answers"])
def test_to_questions_that_stand_alone_nothing_happens(noise: str) -> None:
    rows = many_alike(**{noise: 0.9})
    found = drawn(rows)
    assert all(clean in found for clean in rows.clean[N_ALIKE:])
    assert not all(clean in found for clean in rows.clean[:N_ALIKE])
    none = many_alike(**{noise: 0.9, "noise_from": N_ALIKE + 1})
    assert drawn(none) == none.clean


@pytest.mark.parametrize("mask_prompt", [False, True])
def test_a_pair_is_one_row_behind_another(tokenizer: WordTokenizer, mask_prompt: bool) -> None:
    rows = rows_of(tokenizer, joined=1.0, mask_prompt=mask_prompt)
    places = list(permutations(range(3), 2))
    pairs = [rows.clean[a].then(rows.clean[b]) for a, b in places]
    found = set()
    for seed in range(40):
        [both] = [row for row in drawn(rows, seed) if row not in rows.clean]
        [single] = [row for row in drawn(rows, seed) if row in rows.clean]
        a, b = places[pairs.index(both)]
        assert rows.clean.index(single) == 3 - a - b
        found.add((a, b))
    assert found == set(places)


def test_every_dialogue_is_there_once_and_the_share_is_paired() -> None:
    tokenizer = WordTokenizer.train(Corpus("", dialogues=MANY).texts())
    rows = rows_of(tokenizer, MANY, joined=0.5)
    found = drawn(rows)
    assert len(found) == 64 - 16
    ends = sum(row.tokens.count(tokenizer.end_id) for row in found)
    assert ends == 64
    assert sum(row.tokens.count(tokenizer.end_id) == 2 for row in found) == 16
    numbers = Counter(token for row in found for token in row.tokens)
    assert numbers == Counter(token for row in rows.clean for token in row.tokens)


def test_rows_that_do_not_fit_together_stay_alone(tokenizer: WordTokenizer) -> None:
    lengths = sorted(len(row.tokens) for row in rows_of(tokenizer).clean)
    shortest = sum(lengths[:2])

    def found(context: int) -> set[int]:
        rows = rows_of(tokenizer, context=context, joined=1.0)
        return {len(row.tokens) for seed in range(30) for row in drawn(rows, seed)}

    assert found(shortest - 1) == {*lengths, shortest}
    assert found(shortest - 2) == set(lengths)


def test_joined_rows_are_misspelt_too() -> None:
    tokenizer = train_tokenizer("char", Corpus("", dialogues=MANY).texts())
    rows = rows_of(tokenizer, MANY, joined=1.0, typos=0.2)
    texts = [tokenizer.decode(row.tokens) for row in drawn(rows)]
    assert all(text.count("Assistant:") == 2 for text in texts)
    firsts = [text.removeprefix("User: ").partition(" Assistant:")[0] for text in texts]
    assert 0 < sum(first not in [turn.user for (turn,) in MANY] for first in firsts) < len(MANY)
