"""Noise in the questions changes them, and nothing else of their rows."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_rows import MANY, TEXTS, draw, drawn, every_tokenizer, rows_of, tokenizer_of
from tiny_runs import CORPUS, DIALOGUES

from tinychat.config import TrainConfig
from tinychat.corpus import Corpus, Turn
from tinychat.tokenizer import Tokenizer, train_tokenizer
from tinychat.training.noise import with_noise
from tinychat.training.rows import DialogueRows, Row, turn_row

NOISE = {"typos": 0.3, "careless": 0.5, "joined": 0.4}


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
