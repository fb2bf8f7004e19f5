import numpy as np
import pytest
from tiny_runs import CORPUS, DIALOGUES, FACTS

from tinychat.corpus import Corpus, Turn
from tinychat.tokenizer import WordTokenizer
from tinychat.training.rows import Batches, Rows, dialogue_row, fact_row


@pytest.fixture
def tokenizer() -> WordTokenizer:
    return WordTokenizer.train(CORPUS.texts())


def test_a_fact_ends_with_the_end_token(tokenizer: WordTokenizer) -> None:
    row = fact_row(FACTS[0], tokenizer)
    assert row[-1] == tokenizer.end_id
    assert tokenizer.end_id not in row[:-1]
    assert tokenizer.decode(row[:-1]) == FACTS[0]


def test_every_answer_of_a_dialogue_ends_with_the_end_token(tokenizer: WordTokenizer) -> None:
    row = dialogue_row(DIALOGUES[2], tokenizer)
    ends = [place for place, token in enumerate(row) if token == tokenizer.end_id]
    assert len(ends) == 2
    assert ends[-1] == len(row) - 1
    assert tokenizer.decode(row[: ends[0]]) == "User: Who sings? Assistant: Birds sing."
    assert tokenizer.decode(row[ends[0] + 1 : -1]) == "User: When? Assistant: When the sun is out."


def test_the_target_of_a_place_is_the_next_token() -> None:
    batches = Batches([[3, 1, 4, 1, 5], [9, 2]])
    assert len(batches) == 2
    assert batches.n_tokens == 5
    ids, targets = batches[0]
    assert ids.tolist() == [[3, 1, 4, 1]]
    assert targets.tolist() == [[1, 4, 1, 5]]
    assert ids.dtype == targets.dtype == np.int64


def test_a_row_with_nothing_to_predict_is_left_out() -> None:
    batches = Batches([[3], [9, 2]])
    assert len(batches) == 1
    assert batches[0][0].tolist() == [[9]]


def test_long_rows_lose_their_end_and_are_counted(tokenizer: WordTokenizer) -> None:
    whole = Rows.of(CORPUS, tokenizer, 1000)
    assert whole.n_cut == 0
    lengths = [len(row) for row in (*whole.facts, *whole.dialogues)]
    for context in range(2, max(lengths) + 1):
        rows = Rows.of(CORPUS, tokenizer, context)
        # A row of one token more than the context is whole: its last token is only predicted.
        assert rows.n_cut == sum(length > context + 1 for length in lengths)
        for row, uncut in zip((*rows.facts, *rows.dialogues), (*whole.facts, *whole.dialogues), strict=True):
            assert row == uncut[: context + 1]
            assert all(ids.shape[1] <= context for ids, _ in [Batches([row])[0]])


def test_rows_keep_the_order_of_the_corpus(tokenizer: WordTokenizer) -> None:
    rows = Rows.of(CORPUS, tokenizer, 1000)
    assert [tokenizer.decode(row[:-1]) for row in rows.facts] == list(FACTS)
    assert len(rows.dialogues) == len(DIALOGUES)


def test_words_that_the_tokenizer_has_never_seen_stay_in_the_row_as_unknown(tokenizer: WordTokenizer) -> None:
    corpus = Corpus("other", facts=("Rain falls upwards.",), dialogues=((Turn("Whither?", "Up."),),))
    rows = Rows.of(corpus, tokenizer, 24)
    assert rows.facts[0].count(tokenizer.unknown_id) == 1
    assert rows.dialogues[0].count(tokenizer.unknown_id) == 2
