"""Greedy decoding takes the likeliest token, and knows where to stop."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.core.cache import KVCache
from tinychat.core.model import Transformer
from tinychat.generation.greedy import greedy
from tinychat.model import Model

NO_END = -1
"""An id that no token has."""

Favour = Callable[[Model, int], None]


def argmax_loop(model: Model, prompt: list[int]) -> list[int]:
    """The definition, on a copy of the model, with a loop over the vocabulary in place of argmax."""
    copy = Transformer(model.config)
    copy.parameters.values[:] = model.transformer.parameters.values
    ids = list(prompt)
    while len(ids) < model.config.max_seq_len:
        logits = copy.forward(np.array([ids]))[0][-1].tolist()
        ids.append(max(range(len(logits)), key=logits.__getitem__))
    return ids[len(prompt) :]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("words", ["How", "What is rain?", "User: How do mountains form? Assistant:"])
def test_it_is_an_argmax_loop(make_model: Callable[..., Model], seed: int, words: str) -> None:
    model = make_model(seed=seed)
    prompt = model.tokenizer.encode(words)
    assert list(greedy(model.transformer, prompt, NO_END)) == argmax_loop(model, prompt)


def test_the_models_of_these_tests_do_not_say_one_word_for_ever(make_model: Callable[..., Model]) -> None:
    answers = {tuple(argmax_loop(make_model(seed=seed), [6])) for seed in range(5)}
    assert len(answers) == 5
    assert all(len(set(answer)) >= 3 for answer in answers)


@pytest.mark.parametrize("place", range(15))
def test_it_stops_at_the_end_token_and_does_not_yield_it(model: Model, place: int) -> None:
    prompt = model.tokenizer.encode("How")
    unbounded = list(greedy(model.transformer, prompt, NO_END))
    end = unbounded[place]
    assert list(greedy(model.transformer, prompt, end)) == unbounded[: unbounded.index(end)]


def test_an_end_token_that_wins_at_once_leaves_nothing(model: Model, favour: Favour) -> None:
    favour(model, model.tokenizer.end_id)
    assert list(greedy(model.transformer, [6, 7], model.tokenizer.end_id)) == []


def test_the_output_bias_decides(model: Model, favour: Favour) -> None:
    favour(model, 7)
    assert list(greedy(model.transformer, [6], model.tokenizer.end_id)) == [7] * 15


@pytest.mark.parametrize("length", [1, 2, 14, 15, 16])
def test_it_stops_at_the_end_of_the_context(model: Model, length: int) -> None:
    assert len(list(greedy(model.transformer, [6] * length, NO_END))) == 16 - length


def test_a_prompt_beyond_the_context_is_not_continued(model: Model) -> None:
    assert list(greedy(model.transformer, [6] * 17, NO_END)) == []


def test_it_reads_every_token_once_and_no_further_than_it_is_asked(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    prefill, decode_step = KVCache.prefill, KVCache.decode_step

    def counted_prefill(cache: KVCache, rows: Sequence[Sequence[int]]) -> np.ndarray:
        read.extend(rows[0])
        return prefill(cache, rows)

    def counted_step(cache: KVCache, tokens: Sequence[int]) -> np.ndarray:
        read.extend(tokens)
        return decode_step(cache, tokens)

    monkeypatch.setattr(KVCache, "prefill", counted_prefill)
    monkeypatch.setattr(KVCache, "decode_step", counted_step)
    tokens = greedy(model.transformer, [6, 7], NO_END)
    assert read == []
    first, second = next(tokens), next(tokens)
    assert read == [6, 7, first]
    rest = list(tokens)
    assert read == [6, 7, first, second, *rest[:-1]]
    assert len(read) == model.config.max_seq_len - 1


def test_two_answers_may_be_written_by_turns(model: Model) -> None:
    first, second = [6], [7, 8]
    both = zip(
        greedy(model.transformer, first, NO_END), greedy(model.transformer, second, NO_END), strict=False
    )
    pairs = list(both)
    assert [a for a, _ in pairs] == argmax_loop(model, first)[:14]
    assert [b for _, b in pairs] == argmax_loop(model, second)


@given(prompt=st.lists(st.integers(0, 20), min_size=1, max_size=20))
def test_any_prompt_ends_within_the_context(make_model: Callable[..., Model], prompt: list[int]) -> None:
    model = make_model()
    before = list(prompt)
    answer = list(greedy(model.transformer, prompt, model.tokenizer.end_id))
    assert prompt == before
    assert len(answer) <= max(0, model.config.max_seq_len - len(prompt))
    assert model.tokenizer.end_id not in answer
    assert all(0 <= token < model.config.vocab_size for token in answer)
