"""From a corpus to rows: what a model reads, what counts, and what an epoch makes of it."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_runs import CORPUS, DIALOGUES, FACTS

from tinychat.config import TrainConfig
from tinychat.corpus import Corpus, Dialogue, Turn
from tinychat.corpus.dialogue import ask_text
from tinychat.tokenizer import Tokenizer, WordTokenizer, train_tokenizer
from tinychat.training.batches import to_batch
from tinychat.training.noise import with_noise
from tinychat.training.rows import (
    BEGINNING,
    TELLING,
    DialogueRows,
    FactRows,
    Row,
    dialogue_row,
    draw,
    fact_row,
    turn_row,
)
from tinychat.training.vocabulary import ENOUGH

KINDS = ("word", "char", "bpe")
every_tokenizer = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def tokenizer() -> WordTokenizer:
    return WordTokenizer.train(CORPUS.texts())


def tokenizer_of(kind: str) -> Tokenizer:
    return train_tokenizer(kind, CORPUS.texts(), 300)


def rows_of(
    tokenizer: Tokenizer,
    dialogues: Sequence[Dialogue] = DIALOGUES,
    context: int = 1000,
    declines: Sequence[str] = (),
    **recipe: Any,
) -> DialogueRows:
    return DialogueRows(dialogues, tokenizer, context, TrainConfig(**recipe), declines)


def drawn(rows: DialogueRows, seed: int = 0) -> list[Row]:
    return draw(rows, np.random.default_rng(seed))


# Rows


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


# What counts


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


TEXTS = st.lists(
    st.sampled_from(
        ["What", " ", "\n", "'s", "n't", "?", ".", "(", "3", "é", "🙂", "User:", "Assistant:", "</s>"]
    ),
    min_size=1,
).map("".join)


@every_tokenizer
@given(TEXTS, TEXTS)
def test_the_prompt_is_the_beginning_of_its_row(kind: str, question: str, answer: str) -> None:
    """Were a token to reach from the prompt into the answer, a mask would have no place to end."""
    tokenizer = tokenizer_of(kind)
    prompt = tokenizer.encode(ask_text(question))
    row = turn_row(Turn(question, answer), tokenizer, mask_prompt=True)
    assert row.tokens[: len(prompt)] == prompt
    assert row.counts == [False] * len(prompt) + [True] * (len(row.tokens) - len(prompt))


# Noise

NOISE = {"typos": 0.3, "careless": 0.5, "joined": 0.4}
MANY: tuple[Dialogue, ...] = tuple(  # each with a word of its own
    (Turn(f"What is the {'abcdefgh'[n % 8] * 3}{'stuvwxyz'[n // 8] * 4}?", f"It is number {n}."),)
    for n in range(64)
)


def questions(rows: Sequence[Row], tokenizer: Tokenizer) -> list[str]:
    texts = [tokenizer.decode(row.tokens) for row in rows]
    return [text.removeprefix("User: ").partition(" Assistant:")[0] for text in texts]


@every_tokenizer
@pytest.mark.parametrize("noise", [NOISE, *({name: share} for name, share in NOISE.items())], ids=str)
def test_noise_comes_from_the_generator_alone(kind: str, noise: dict[str, float]) -> None:
    rows = rows_of(train_tokenizer(kind, Corpus("", dialogues=MANY).texts()), MANY, **noise)
    clean = list(rows.clean)
    first, again, other = drawn(rows), drawn(rows), drawn(rows, seed=1)
    assert first == again
    assert first != clean
    assert first != other
    assert rows.clean == clean


@every_tokenizer
def test_a_row_without_a_changed_word_is_the_clean_one(kind: str) -> None:
    rows = rows_of(train_tokenizer(kind, Corpus("", dialogues=MANY).texts()), MANY, typos=0.1)
    same = [row is clean for row, clean in zip(drawn(rows), rows.clean, strict=True)]
    assert 0 < sum(same) < len(MANY)


def test_answers_are_never_misspelt() -> None:
    tokenizer = train_tokenizer("char", Corpus("", dialogues=MANY).texts())
    rows = rows_of(tokenizer, MANY, typos=1.0, careless=1.0, mask_prompt=True)
    for row, (turn,) in zip(drawn(rows), MANY, strict=True):
        asked, _, answered = tokenizer.decode(row.tokens[:-1]).partition(" Assistant: ")
        assert answered == turn.assistant
        assert asked != f"User: {turn.user}"
        n_answer = len(f" {turn.assistant}") + 1
        assert row.counts == [False] * (len(row.tokens) - n_answer) + [True] * n_answer


def test_both_questions_of_a_dialogue_may_be_misspelt() -> None:
    tokenizer = train_tokenizer("char", [*CORPUS.texts(), "abcdefghijklmnopqrstuvwxyz"])
    rows = rows_of(tokenizer, (DIALOGUES[2],), typos=1.0)
    texts = [tokenizer.decode(drawn(rows, seed)[0].tokens) for seed in range(20)]
    assert any("Who sings?" not in text and "When?" not in text for text in texts)
    assert all(text.count("User: ") == text.count(" Assistant: ") == 2 for text in texts)
    assert all("Birds sing." in text and "When the sun is out." in text for text in texts)


def test_a_misspelt_row_fits_into_the_context() -> None:
    """A letter more is a token more, where tokens are letters."""
    tokenizer = train_tokenizer("char", CORPUS.texts())
    lengths = [len(row.tokens) for row in rows_of(tokenizer).clean]
    context = min(lengths) - 1  # the shortest row fills it to the last place
    rows = rows_of(tokenizer, context=context, typos=1.0)
    assert rows.n_cut == 2
    found = [len(row.tokens) for seed in range(30) for row in drawn(rows, seed)]
    assert max(found) == context + 1
    assert min(found) < context + 1


@every_tokenizer
@given(st.lists(TEXTS, min_size=2, max_size=4), TEXTS, st.booleans())
def test_a_noisy_row_is_that_of_the_noisy_dialogue(
    kind: str, questions: list[str], answer: str, mask_prompt: bool
) -> None:
    tokenizer = tokenizer_of(kind)
    config = TrainConfig(typos=0.5, careless=0.5, mask_prompt=mask_prompt)
    dialogues = [(Turn(question, answer),) for question in questions]
    found = draw(DialogueRows(dialogues, tokenizer, 500, config), np.random.default_rng(0))
    rng = np.random.default_rng(0)
    for row, (turn,) in zip(found, dialogues, strict=True):
        noisy = Turn(with_noise(turn.user, config, rng), turn.assistant)
        assert row == turn_row(noisy, tokenizer, mask_prompt)


# Unanswerable questions

DECLINES = ("Nobody told me.", "That is new to me.")
LETTERS = train_tokenizer(
    "char", ["abcdefghijklmnopqrstuvwxyz+", *Corpus("", dialogues=MANY).texts(), *DECLINES]
)


def unanswerable(dialogues: Sequence[Dialogue], seed: int = 0, **recipe: Any) -> list[str]:
    """All texts of an epoch in which every question is made unanswerable that can be."""
    recipe = {"unanswerable": 1.0, **recipe}
    rows = rows_of(LETTERS, dialogues, declines=DECLINES, **recipe)
    return [LETTERS.decode(row.tokens) for row in drawn(rows, seed)]


def test_telling_words_are_made_up_and_the_answer_is_the_first_dont_know() -> None:
    """`What`, `is` and `the` stand in questions with 64 answers, the names in one each."""
    for text, (turn,) in zip(unanswerable(MANY), MANY, strict=True):
        name = turn.user.split()[-1].removesuffix("?")
        question, _, answer = text.partition(" Assistant: ")
        assert answer == "Nobody told me."
        assert re.fullmatch(rf"User: What is the [a-z]{{{len(name)}}}\?", question)
        assert name not in question


@pytest.mark.parametrize(("n_answers", "is_telling"), [(1, True), (TELLING, True), (TELLING + 1, False)])
def test_a_word_tells_by_how_many_answers_its_questions_get(n_answers: int, is_telling: bool) -> None:
    """Not by how many questions; case does not count."""
    dialogues = [
        (Turn(("what is it", "What is it")[n % 2], f"It is number {n % n_answers}."),) for n in range(24)
    ]
    for text, (turn,) in zip(unanswerable(dialogues), dialogues, strict=True):
        assert (turn.user in text, text.endswith("Nobody told me.")) == (not is_telling, is_telling)


def test_dont_knows_are_unchanged() -> None:
    asked = [Turn("Why is stst?", DECLINES[0]), Turn("Whence?", DECLINES[1]), Turn("Why so?", DECLINES[1])]
    dialogues = (*MANY[:8], *((turn,) for turn in asked))
    rows = rows_of(LETTERS, dialogues, declines=DECLINES, unanswerable=1.0)
    found = drawn(rows)
    assert [row is clean for row, clean in zip(found, rows.clean, strict=True)] == [False] * 8 + [True] * 3


def test_dialogues_of_several_turns_are_unchanged() -> None:
    dialogues = (MANY[0], (*MANY[1], *MANY[2]))
    rows = rows_of(LETTERS, dialogues, declines=DECLINES, unanswerable=1.0)
    found = drawn(rows)
    assert found[0] != rows.clean[0]
    assert found[1] is rows.clean[1]


def test_a_question_without_a_telling_word_is_unchanged() -> None:
    dialogues = tuple((Turn("What is it?", f"It is number {n}."),) for n in range(TELLING + 1))
    rows = rows_of(LETTERS, dialogues, declines=DECLINES, unanswerable=1.0)
    assert all(row is clean for row, clean in zip(drawn(rows), rows.clean, strict=True))
    letters = ((Turn("1 + x?", "It is number 3."),),)  # no words at all
    rows = rows_of(LETTERS, letters, declines=DECLINES, unanswerable=1.0)
    assert drawn(rows) == rows.clean


def test_without_dont_knows_nothing_is_unanswerable() -> None:
    rows = rows_of(LETTERS, MANY, unanswerable=1.0)
    assert drawn(rows) == rows.clean
    without = rows_of(LETTERS, MANY, typos=0.3)
    assert drawn(rows_of(LETTERS, MANY, typos=0.3, unanswerable=0.5)) == drawn(without)


def test_the_share_of_unanswerable_questions() -> None:
    found = unanswerable(MANY * 40, unanswerable=0.2)
    share = np.mean([text.endswith("Nobody told me.") for text in found])
    assert share == pytest.approx(0.2, abs=0.03)
    assert sum("It is number" in text for text in found) == round(len(found) * (1 - share))


def test_what_is_made_up_comes_from_the_generator_alone() -> None:
    assert unanswerable(MANY) == unanswerable(MANY)
    assert not set(unanswerable(MANY)) & set(unanswerable(MANY, seed=1))


def test_a_question_is_not_made_unanswerable_and_misspelt() -> None:
    for text in unanswerable(MANY, typos=1.0, careless=1.0):
        assert text.startswith("User: What is the ")
        assert text.endswith("? Assistant: Nobody told me.")


def test_of_an_unanswerable_row_the_dont_know_counts() -> None:
    rows = rows_of(LETTERS, MANY, declines=DECLINES, unanswerable=1.0, mask_prompt=True)
    for row in drawn(rows):
        answer = [token for token, counts in zip(row.tokens, row.counts, strict=True) if counts]
        assert LETTERS.decode(answer) == " Nobody told me."
        assert answer[-1] == LETTERS.end_id


def test_a_dont_know_fits_into_the_context() -> None:
    whole = rows_of(LETTERS, MANY[:1], declines=DECLINES, unanswerable=1.0)
    length = len(drawn(whole)[0].tokens)
    rows = rows_of(LETTERS, MANY[:1], length - 5, declines=DECLINES, unanswerable=1.0)
    assert drawn(rows) == [row.cut(length - 4) for row in drawn(whole)]


# Answers of which the beginning alone is learnt

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


# Dialogues in pairs


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
