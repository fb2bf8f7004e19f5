"""From rows to arrays: which rows go together, and what a batch is padded with."""

from collections import Counter
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_rows import draw

from tinychat.config import IGNORE, TrainConfig
from tinychat.corpus import load_corpus
from tinychat.training.batches import MOST_PADDING, Drawing, enough_epochs, grouped, to_batch
from tinychat.training.rows import DialogueRows, FactRows, Row
from tinychat.training.vocabulary import tokenizer_for

LENGTHS = st.lists(st.integers(2, 60), max_size=80)
SIZES = st.integers(1, 20)
SEEDS = st.integers(0, 2**32)


def rows_of(lengths: list[int]) -> list[Row]:
    """No two are equal: each begins with a number of its own."""
    return [Row([index] + [7] * (length - 1), [True] * length) for index, length in enumerate(lengths)]


def drawn(rows: list[Row], batch_size: int, seed: int = 0) -> list[list[Row]]:
    return grouped(rows, batch_size, np.random.default_rng(seed))


def padding(batch: list[Row]) -> tuple[int, int]:
    """Places that are mere padding, and all places."""
    B, T = to_batch(batch)[0].shape
    return B * T - sum(len(row.tokens) - 1 for row in batch), B * T


# Grouping


@given(LENGTHS, SIZES, SEEDS)
def test_every_row_is_in_one_batch_once(lengths: list[int], batch_size: int, seed: int) -> None:
    rows = rows_of(lengths)
    batches = drawn(rows, batch_size, seed)
    assert sorted(row.tokens[0] for batch in batches for row in batch) == list(range(len(rows)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)
    assert rows == rows_of(lengths)


@given(LENGTHS, SIZES, SEEDS)
def test_no_batch_has_more_padding_than_it_may(lengths: list[int], batch_size: int, seed: int) -> None:
    for batch in drawn(rows_of(lengths), batch_size, seed):
        n_padding, n_places = padding(batch)
        assert n_padding <= MOST_PADDING * n_places + 1e-9


@given(LENGTHS, SIZES, SEEDS)
def test_no_batch_ends_before_it_must(lengths: list[int], batch_size: int, seed: int) -> None:
    """It is full, or the shortest row of those that are longer would bring too much padding."""
    batches = drawn(rows_of(lengths), batch_size, seed)
    by_length = sorted(batches, key=lambda batch: (max(len(row.tokens) for row in batch), -len(batch)))
    lengths_of = [sorted(len(row.tokens) for row in batch) for batch in by_length]
    for batch, longer in pairwise(lengths_of):
        assert batch[-1] <= longer[0]
        if len(batch) < batch_size:
            places = (longer[0] - 1) * (len(batch) + 1)
            n_padding = places - sum(length - 1 for length in (*batch, longer[0]))
            assert n_padding > MOST_PADDING * places - 1e-9


def test_rows_of_one_length_fill_all_batches_but_one() -> None:
    batches = drawn(rows_of([5] * 23), 4)
    assert Counter(map(len, batches)) == {4: 5, 3: 1}


def test_without_rows_there_are_no_batches() -> None:
    assert drawn([], 1) == drawn([], 8) == []


@pytest.mark.parametrize(("lengths", "n_batches"), [((9, 11), 1), ((8, 11), 2), ((9, 9, 11), 2)])
def test_one_place_in_ten_may_be_padding(lengths: tuple[int, ...], n_batches: int) -> None:
    """Of 8 and 10 tokens to read 2 places in 20 are padding; of 7 and 10, 3; of 8, 8 and 10, 4 in 30."""
    assert len(drawn(rows_of(list(lengths)), 8)) == n_batches


def test_of_batches_of_one_row_none_is_padded() -> None:
    batches = drawn(rows_of([2, 9, 30, 4, 4]), 1)
    assert sorted(padding(batch) for batch in batches) == [(0, 1), (0, 3), (0, 3), (0, 8), (0, 29)]


@pytest.mark.parametrize(
    ("length", "context", "wanted"),
    [(9, 80, 8), (10, 80, 12), (12, 80, 12), (80, 80, 80), (10, 10, 10), (10, 9, 9)],
)
def test_a_row_that_is_alone_is_padded_to_a_fast_length(length: int, context: int, wanted: int) -> None:
    [row] = rows_of([length])
    ids, targets = to_batch([row], context)
    assert ids.shape == targets.shape == (1, wanted)
    assert ids[0, : length - 1].tolist() == row.tokens[:-1]
    assert not ids[0, length - 1 :].any()
    assert (targets[0, length - 1 :] == IGNORE).all()
    assert to_batch([row, row], context)[0].shape == (2, length - 1)


@cache
def bundled_rows(name: str) -> list[list[Row]]:
    """Of both phases: the clean rows, and those of an epoch with misspelt and joined questions."""
    corpus = load_corpus(name)
    tokenizer = tokenizer_for(corpus, "word")
    noise = TrainConfig(typos=0.03, careless=0.3, unanswerable=0.1, joined=0.2)
    dialogues = DialogueRows(corpus.dialogues, tokenizer, 96, noise, corpus.declines)
    facts = FactRows(corpus.facts, tokenizer, 96)
    return [facts.clean, dialogues.clean, draw(dialogues, np.random.default_rng(0))]


@pytest.mark.parametrize("name", ["basics", "world"])
@pytest.mark.parametrize("batch_size", [4, 16, 32])
def test_of_the_bundled_corpora_a_tenth_at_most_is_padding(name: str, batch_size: int) -> None:
    for rows in bundled_rows(name):
        batches = drawn(rows, batch_size)
        found = [padding(batch) for batch in batches]
        assert sum(n for n, _ in found) <= 0.1 * sum(n for _, n in found)
        assert sum(map(len, batches)) == len(rows)


@pytest.mark.parametrize("batch_size", [4, 16, 32])
def test_the_batches_of_the_large_corpus_are_almost_full(batch_size: int) -> None:
    """Padding could also be spared by batches of one row each."""
    rows = bundled_rows("world")[1]
    assert len(drawn(rows, batch_size)) < 1.1 * len(rows) / batch_size


@pytest.mark.parametrize("n_steps", [0, 1, 100, 10**9])
def test_batches_do_not_depend_on_when_they_were_drawn(n_steps: int) -> None:
    corpus = load_corpus("basics")
    noise = TrainConfig(typos=0.1, careless=0.3, joined=0.4, cut_answers=0.2, mask_prompt=True, noise_from=1)
    source = DialogueRows(corpus.dialogues, tokenizer_for(corpus, "word"), 96, noise, corpus.declines)
    rng = np.random.default_rng(3)
    wanted = grouped(draw(source, rng), 8, rng)
    drawing = Drawing(source, 8, np.random.default_rng(3))
    n_taken = 0
    while n_taken < n_steps and drawing.go_on():
        n_taken += 1
    assert n_taken == min(n_steps, 2 * len(source.clean))  # noise, and answers that are cut
    assert drawing.batches() == wanted
    assert not drawing.go_on()


# What the generator decides


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_generator_alone_decides_on_the_order(batch_size: int) -> None:
    rows = rows_of([3, 4, 5, 6] * 20)
    first = drawn(rows, batch_size)
    assert drawn(rows, batch_size) == first
    assert drawn(rows, batch_size, seed=1) != first


def test_batches_do_not_come_by_length() -> None:
    lengths = [len(batch[0].tokens) for batch in drawn(rows_of(list(range(2, 60))), 2)]
    assert lengths != sorted(lengths)
    assert lengths != sorted(lengths, reverse=True)


def test_equally_long_rows_meet_others_in_every_epoch() -> None:
    rows = rows_of([5] * 6)
    met = {frozenset(row.tokens[0] for row in batch) for seed in range(60) for batch in drawn(rows, 2, seed)}
    assert len(met) == 15  # every two of six


def test_of_one_row_each_every_order_comes() -> None:
    rows = rows_of([5, 3, 9])
    orders = {tuple(batch[0].tokens[0] for batch in drawn(rows, 1, seed)) for seed in range(60)}
    assert len(orders) == 6


# Arrays


def test_shorter_rows_are_padded_at_their_end() -> None:
    ids, targets = to_batch([Row([3, 1, 4, 1], [True] * 4), Row([5, 9], [True] * 2)])
    assert ids.tolist() == [[3, 1, 4], [5, 0, 0]]
    assert targets.tolist() == [[1, 4, 1], [9, IGNORE, IGNORE]]
    assert ids.dtype == targets.dtype == np.int64


def test_what_does_not_count_is_read_and_not_predicted() -> None:
    rows = [Row([3, 1, 4, 1], [False, False, True, True]), Row([5, 9, 2], [True, False, True])]
    ids, targets = to_batch(rows)
    assert ids.tolist() == [[3, 1, 4], [5, 9, 0]]
    assert targets.tolist() == [[IGNORE, 4, 1], [IGNORE, 2, IGNORE]]


@given(st.lists(st.lists(st.tuples(st.integers(0, 99), st.booleans()), min_size=2), min_size=1))
def test_every_target_is_the_next_token_of_its_row_or_ignored(tokens: list[list[tuple[int, bool]]]) -> None:
    rows = [Row([token for token, _ in row], [counts for _, counts in row]) for row in tokens]
    ids, targets = to_batch(rows)
    assert ids.shape == targets.shape == (len(rows), max(map(len, tokens)) - 1)
    for b, row in enumerate(tokens):
        for t in range(ids.shape[1]):
            inside = t + 1 < len(row)
            assert ids[b, t] == (row[t][0] if inside else 0)
            assert targets[b, t] == (row[t + 1][0] if inside and row[t + 1][1] else IGNORE)
    assert (targets != IGNORE).sum() == sum(row.n_predicted for row in rows)


@pytest.mark.parametrize(
    ("recipe", "lengths", "epochs"),
    [
        pytest.param({"epochs": 5}, [9] * 53, 5, id="no least number"),
        pytest.param({"epochs": 5, "min_updates": 60, "batch_size": 24}, [9] * 53, 20, id="updates"),
        pytest.param({"epochs": 5, "min_updates": 61, "batch_size": 24}, [9] * 53, 21, id="rounded up"),
        pytest.param({"epochs": 5, "min_updates": 60, "batch_size": 24}, [9] * 999, 5, id="a large corpus"),
        pytest.param({"epochs": 5, "min_updates": 60, "accumulate": 10}, [9] * 53, 10, id="put together"),
        pytest.param({"epochs": 5, "min_updates": 60, "batch_size": 24}, [9, 5] * 9, 30, id="of two lengths"),
        pytest.param({"epochs": 0, "min_updates": 60}, [9] * 53, 0, id="a phase that is left out stays so"),
        pytest.param({"epochs": 5, "min_updates": 60}, [], 5, id="no rows"),
    ],
)
def test_a_small_corpus_gets_more_epochs(recipe: dict[str, int], lengths: list[int], epochs: int) -> None:
    rows = [Row([0] * length, [True] * length) for length in lengths]
    assert enough_epochs(TrainConfig(**recipe), rows) == epochs
