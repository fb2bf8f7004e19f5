"""Reading rows in parts changes nothing but the time."""

import numpy as np
from tiny_runs import CORPUS, trained

from tinychat.training.by_length import exact, parts_by_length, read_answers
from tinychat.training.rows import dialogue_row, fact_row


def test_parts_have_all_rows_once_and_the_like_together() -> None:
    model = trained()
    rows = [fact_row(fact, model.tokenizer) for fact in CORPUS.facts]
    parts = parts_by_length(rows, 2)
    assert [len(part) for part in parts] == [2, 2, 1]
    order = [index for part in parts for index in part]
    assert sorted(order) == list(range(5))
    lengths = [len(rows[index].tokens) for index in order]
    assert lengths == sorted(lengths)
    assert parts_by_length([], 2) == []


def test_what_is_read_of_many_rows_is_what_is_read_of_each() -> None:
    model = trained(tune_epochs=40)
    transformer = model.transformer
    rows = [dialogue_row(dialogue, model.tokenizer, mask_prompt=True) for dialogue in CORPUS.dialogues]
    rows += [fact_row(fact, model.tokenizer) for fact in CORPUS.facts]
    right, said = read_answers(transformer, rows)
    for row, is_right, vectors in zip(rows, right, said, strict=True):
        [alone], [read] = read_answers(transformer, [row])
        assert alone == is_right
        assert vectors.shape == (row.n_predicted, model.config.d_model)
        np.testing.assert_allclose(vectors, read, rtol=1e-4, atol=1e-5)
    assert exact(transformer, rows * 7) == right * 7
    assert set(right) == {True, False}
