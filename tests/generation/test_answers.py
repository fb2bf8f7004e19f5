"""Many questions at a time get the answers that each would get alone."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.core.cache import KVCache
from tinychat.core.model import Transformer
from tinychat.corpus import Turn
from tinychat.errors import UsageError
from tinychat.generation.answers import answers
from tinychat.generation.greedy import greedy, greedy_batch
from tinychat.generation.reply import reply_to
from tinychat.model import Model

Make = Callable[..., Model]
Favour = Callable[[Model, int], None]
EARLIER = (Turn("What is rain?", "Water falls."),)
WORDS = ("How", "do", "mountains", "form", "?", "What", "is", "rain", "zebra", "3")


def one_by_one(transformer: Transformer, prompts: Sequence[list[int]], end_id: int) -> list[list[int]]:
    return [list(greedy(transformer, prompt, end_id)) for prompt in prompts]


# Prompts of tokens


@given(
    st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=18), max_size=40),
    st.integers(0, 4),
    st.integers(-1, 20),
)
def test_a_batch_is_continued_as_each_prompt_alone(
    make_model: Make, prompts: list[list[int]], seed: int, end_id: int
) -> None:
    """Whatever their number, their lengths and the places at which they end."""
    transformer = make_model(seed=seed).transformer
    before = [list(prompt) for prompt in prompts]
    assert greedy_batch(transformer, prompts, end_id) == one_by_one(transformer, prompts, end_id)
    assert prompts == before


@pytest.mark.parametrize("n", [0, 1, 31, 32, 33, 100])
def test_any_number_of_prompts(make_model: Make, n: int) -> None:
    transformer = make_model(seed=1).transformer
    rng = np.random.default_rng(0)
    prompts = [rng.integers(0, 21, rng.integers(1, 16)).tolist() for _ in range(n)]
    endless = one_by_one(transformer, prompts, -1)
    assert greedy_batch(transformer, prompts, -1) == endless
    said = Counter(token for ids in endless for token in set(ids))
    for end_id, _ in said.most_common(3):  # some end soon, others late or never
        found = greedy_batch(transformer, prompts, end_id)
        assert found == one_by_one(transformer, prompts, end_id)
        assert found != endless


def test_prompts_that_fill_the_context_are_not_continued(model: Model) -> None:
    found = greedy_batch(model.transformer, [[6] * 16, [6] * 15, [6] * 17, [7]], -1)
    assert [len(ids) for ids in found] == [0, 1, 0, 15]
    assert greedy_batch(model.transformer, [[6] * 16], -1) == [[]]


def test_an_end_token_that_wins_at_once_leaves_nothing(model: Model, favour: Favour) -> None:
    favour(model, model.tokenizer.end_id)
    assert greedy_batch(model.transformer, [[6], [7, 8]], model.tokenizer.end_id) == [[], []]


def test_many_prompts_go_through_the_model_together(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: list[tuple[int, ...]] = []
    prefill, decode_step = KVCache.prefill, KVCache.decode_step

    def counted_prefill(cache: KVCache, rows: Sequence[Sequence[int]]) -> np.ndarray:
        shapes.append((len(rows), max(map(len, rows))))
        return prefill(cache, rows)

    def counted_step(cache: KVCache, tokens: Sequence[int]) -> np.ndarray:
        shapes.append((len(tokens), 1))
        return decode_step(cache, tokens)

    monkeypatch.setattr(KVCache, "prefill", counted_prefill)
    monkeypatch.setattr(KVCache, "decode_step", counted_step)
    greedy_batch(model.transformer, [[6, 7]] * 8, -1)
    assert shapes == [(8, 2), *[(8, 1)] * 13]
    shapes.clear()
    greedy_batch(model.transformer, [[6] * 14, [6] * 15, [6] * 12], -1)
    assert shapes == [(3, 15), (2, 1), (1, 1), (1, 1)]  # those that are ready do not stay


# Questions


def alone(model: Model, question: str, earlier: Sequence[Turn] = ()) -> str:
    chat = model.card.is_chat
    return reply_to(question, model.transformer, model.tokenizer, chat, earlier).finish()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("max_turns", [0, 1], ids=["writes on", "answers"])
def test_each_question_is_answered_as_alone(make_model: Make, seed: int, max_turns: int) -> None:
    model = make_model(seed=seed, max_turns=max_turns, max_seq_len=40)
    rng = np.random.default_rng(seed)
    asked = [" ".join(rng.choice(WORDS, rng.integers(1, 30))) for _ in range(35)]
    found = answers(model, [(question, ()) for question in asked])
    assert found == [alone(model, question) for question in asked]
    assert len(set(found)) > 1


def test_the_turns_before_a_question_are_read_with_it(make_model: Make) -> None:
    model = make_model(max_seq_len=64, seed=2)
    asked = [("How?", EARLIER), ("How?", ()), ("What is rain?", EARLIER * 2)]
    found = answers(model, asked)
    assert found == [alone(model, *question) for question in asked]
    assert found[0] != found[1]


def test_answers_come_in_the_order_of_their_questions(make_model: Make) -> None:
    model = make_model(max_seq_len=40)
    asked = [("How do mountains form?", ()), ("How?", ()), ("What is rain?", ())]
    found = answers(model, asked)
    assert answers(model, asked[::-1]) == found[::-1]
    assert len(set(found)) > 1


def test_without_questions_there_are_no_answers(model: Model) -> None:
    assert answers(model, []) == []


def test_an_empty_question_is_refused(model: Model) -> None:
    with pytest.raises(UsageError):
        answers(model, [("How?", ()), (" ", ())])
