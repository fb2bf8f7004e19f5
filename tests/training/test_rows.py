"""From a corpus to rows: what a model reads, and what counts."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from tiny_rows import TEXTS, draw, drawn, every_tokenizer, rows_of, tokenizer_of
from tiny_runs import CORPUS, DIALOGUES, FACTS

from tinychat.corpus import Corpus, Dialogue, Turn
from tinychat.corpus.dialogue import ask_text
from tinychat.tokenizer import WordTokenizer, train_tokenizer
from tinychat.training.batches import to_batch
from tinychat.training.rows import FactRows, Row, dialogue_row, fact_row, turn_row


def test_a_fact_ends_with_the_end_token(tokenizer: WordTokenizer) -> None:
    row = fact_row(FACTS[0], tokenizer)
    assert row.tokens[-1] == tokenizer.end_id
    assert tokenizer.end_id not in row.tokens[:-1]
    assert tokenizer.decode(row.tokens[:-1]) == FACTS[0]
    assert row.counts == [True] * len(row.tokens)


def test_every_answer_of_a_dialogue_ends_with_the_end_token(tokenizer: WordTokenizer) -> None:
    row = dialogue_row(DIALOGUES[2], tokenizer).tokens
    ends = [place for place, token in enumerate(row) if token == tokenizer.end_id]
    assert len(ends) == 2
    assert ends[-1] == len(row) - 1
    assert tokenizer.decode(row[: ends[0]]) == "User: Who sings? Assistant: Birds sing."
    assert tokenizer.decode(row[ends[0] + 1 : -1]) == "User: When? Assistant: When the sun is out."


def test_the_target_of_a_place_is_the_next_token() -> None:
    row = Row([3, 1, 4, 1, 5], [True] * 5)
    assert row.n_predicted == 4
    ids, targets = to_batch([row])
    assert ids.tolist() == [[3, 1, 4, 1]]
    assert targets.tolist() == [[1, 4, 1, 5]]
    assert ids.dtype == targets.dtype == np.int64


def test_the_first_token_is_only_read() -> None:
    """So it makes no difference whether it counts."""
    assert Row([3, 1, 4], [True, False, True]).n_predicted == 1
    assert Row([3, 1, 4], [False, False, True]).n_predicted == 1
    assert Row([3], [True]).n_predicted == 0


def test_rows_are_cut_and_joined_with_what_counts() -> None:
    row = Row([3, 1, 4], [True, False, True])
    assert row.cut(2) == Row([3, 1], [True, False])
    assert row.cut(9) == row
    assert row.then(Row([7, 8], [False, True])) == Row([3, 1, 4, 7, 8], [True, False, True, False, True])
    assert row == Row([3, 1, 4], [True, False, True])


def test_long_rows_lose_their_end_and_are_counted(tokenizer: WordTokenizer) -> None:
    def both(context: int) -> tuple[list[Row], int]:
        facts, dialogues = FactRows(FACTS, tokenizer, context), rows_of(tokenizer, context=context)
        return [*facts.clean, *dialogues.clean], facts.n_cut + dialogues.n_cut

    whole, n_cut = both(1000)
    assert n_cut == 0
    lengths = [len(row.tokens) for row in whole]
    for context in range(2, max(lengths) + 1):
        rows, n_cut = both(context)
        # A row of one token more than the context is whole: its last token is only predicted.
        assert n_cut == sum(length > context + 1 for length in lengths)
        for row, uncut in zip(rows, whole, strict=True):
            assert row == Row(uncut.tokens[: context + 1], uncut.counts[: context + 1])
            assert to_batch([row])[0].shape[1] <= context


def test_rows_keep_the_order_of_the_corpus(tokenizer: WordTokenizer) -> None:
    facts = FactRows(FACTS, tokenizer, 1000)
    assert [tokenizer.decode(row.tokens[:-1]) for row in facts.clean] == list(FACTS)
    assert draw(facts, np.random.default_rng(0)) == facts.clean
    rows = rows_of(tokenizer)
    assert rows.clean == [dialogue_row(dialogue, tokenizer) for dialogue in DIALOGUES]
    assert drawn(rows) == rows.clean  # this recipe has no noise


def test_rows_with_nothing_to_predict_are_left_out(tokenizer: WordTokenizer) -> None:
    long = (Turn("What falls? " * 9, "Rain."),)
    dialogues = (DIALOGUES[0], long, DIALOGUES[1])
    for context in range(8, 80):
        rows = rows_of(tokenizer, dialogues, context, mask_prompt=True)
        whole = [dialogue_row(dialogue, tokenizer, mask_prompt=True) for dialogue in dialogues]
        assert rows.clean == [row.cut(context + 1) for row in whole if any(row.counts[: context + 1])]
        assert rows.n_cut == sum(len(row.tokens) > context + 1 for row in whole)
        assert len(rows.dialogues) == len(rows.clean)
        assert all(row.n_predicted for row in rows.clean)


def test_of_a_corpus_with_a_row_left_out_each_other_is_misspelt_at_its_place() -> None:
    tokenizer = train_tokenizer("char", CORPUS.texts())
    long = (Turn("What falls? " * 9, "Rain."),)
    rows = rows_of(tokenizer, (long, *DIALOGUES), 100, mask_prompt=True, typos=1.0)
    texts = [tokenizer.decode(row.tokens) for row in drawn(rows)]
    assert [text.count(dialogue[-1].assistant) for text, dialogue in zip(texts, DIALOGUES, strict=True)] == [
        1,
        1,
        1,
    ]


def test_a_misspelt_question_never_drives_the_whole_answer_out() -> None:
    tokenizer = train_tokenizer("char", CORPUS.texts())
    context = len(tokenizer.encode(ask_text(DIALOGUES[0][0].user)))  # one place for the answer
    rows = rows_of(tokenizer, DIALOGUES[:1], context, mask_prompt=True, typos=0.5)
    assert [row.n_predicted for row in rows.clean] == [1]
    found = [row for seed in range(60) for row in drawn(rows, seed)]
    assert min(row.n_predicted for row in found) == 1
    assert any(row is rows.clean[0] for row in found)
    assert max(row.n_predicted for row in found) > 1


def test_words_that_the_tokenizer_has_never_seen_stay_in_the_row_as_unknown(tokenizer: WordTokenizer) -> None:
    corpus = Corpus("other", facts=("Rain falls upwards.",), dialogues=((Turn("Whither?", "Up."),),))
    assert FactRows(corpus.facts, tokenizer, 24).clean[0].tokens.count(tokenizer.unknown_id) == 1
    assert rows_of(tokenizer, corpus.dialogues).clean[0].tokens.count(tokenizer.unknown_id) == 2


@every_tokenizer
@pytest.mark.parametrize("dialogue", DIALOGUES)
def test_of_a_masked_dialogue_exactly_the_answers_and_their_end_tokens_count(
    kind: str, dialogue: Dialogue
) -> None:
    tokenizer = tokenizer_of(kind)
    row = dialogue_row(dialogue, tokenizer, mask_prompt=True)
    assert row.tokens == dialogue_row(dialogue, tokenizer).tokens
    # Cut the row into its parts by what counts: prompt, answer, prompt, answer, ...
    borders = [0, *(np.flatnonzero(np.diff(row.counts)) + 1).tolist(), len(row.tokens)]
    parts = [row.tokens[a:b] for a, b in pairwise(borders)]
    assert not row.counts[0]
    assert len(parts) == 2 * len(dialogue)
    for turn, prompt, answer in zip(dialogue, parts[::2], parts[1::2], strict=True):
        assert tokenizer.decode(prompt) == f"User: {turn.user} Assistant:"
        assert answer[-1] == tokenizer.end_id
        assert tokenizer.end_id not in (*prompt, *answer[:-1])
        assert tokenizer.decode(answer[:-1]).removeprefix(" ") == turn.assistant


@every_tokenizer
def test_without_a_mask_all_of_it_counts(kind: str) -> None:
    for dialogue in DIALOGUES:
        row = dialogue_row(dialogue, tokenizer_of(kind))
        assert row.counts == [True] * len(row.tokens)


def test_the_recipe_says_whether_prompts_are_masked(tokenizer: WordTokenizer) -> None:
    for mask_prompt in (False, True):
        rows = rows_of(tokenizer, mask_prompt=mask_prompt).clean
        assert rows == [dialogue_row(dialogue, tokenizer, mask_prompt) for dialogue in DIALOGUES]


@every_tokenizer
@given(TEXTS, TEXTS)
def test_the_prompt_is_the_beginning_of_its_row(kind: str, question: str, answer: str) -> None:
    """Were a token to reach from the prompt into the answer, a mask would have no place to end."""
    tokenizer = tokenizer_of(kind)
    prompt = tokenizer.encode(ask_text(question))
    row = turn_row(Turn(question, answer), tokenizer, mask_prompt=True)
    assert row.tokens[: len(prompt)] == prompt
    assert row.counts == [False] * len(prompt) + [True] * (len(row.tokens) - len(prompt))
