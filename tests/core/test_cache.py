"""What is read token by token gives the logits of the whole text, in every model of the family."""

from collections.abc import Sequence

import numpy as np
import pytest
from family import FAMILY
from gradients import model_of, small_batch, small_config
from hypothesis import given, settings
from hypothesis import strategies as st

from tinychat.core.cache import KVCache
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.presets import PRESETS

family = pytest.mark.parametrize("name", list(FAMILY))
some = pytest.mark.parametrize("name", ["default", "gpt2", "llama", "gemma3"])
LONG = small_config(
    max_seq_len=40,
    positions="rope",
    sliding_window=5,
    layer_types=("sliding", "full"),
    attention_output=True,
    n_heads=4,
    n_kv_heads=2,
    head_dim=4,
)
"""With room for much more than a window."""


def whole(model: Transformer, row: Sequence[int]) -> Floats:
    """Logits of shape (T, V), the definition: all places at once, without a cache."""
    return model.forward(np.array([row]))[0].copy()


def assert_close(found: Floats, wanted: Floats) -> None:
    """To the rounding of the dtype, which the sharply curved among these models enlarge."""
    assert found.dtype == wanted.dtype
    unit = np.finfo(wanted.dtype).eps * np.abs(wanted).max()
    assert np.abs(found - wanted).max() <= 500 * unit


@family
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_place_agrees_with_the_whole_text(name: str, dtype: type) -> None:
    model = model_of(FAMILY[name], dtype)
    row = [3, 1, 3, 6, 0, 3]
    wanted = whole(model, row)
    for n_read in range(1, len(row) + 1):
        cache = KVCache(model)
        assert_close(cache.prefill([row[:n_read]])[0], wanted[n_read - 1])
        for place in range(n_read, len(row)):
            assert_close(cache.decode_step([row[place]])[0], wanted[place])


@family
def test_rows_of_any_lengths_are_read_as_each_alone(name: str) -> None:
    model = model_of(FAMILY[name])
    rows = [[3, 1, 3], [5], [6, 6, 2, 0], [1, 2]]
    more = [[4, 0], [1, 1], [2, 5], [6, 3]]
    wanted = [whole(model, row + other) for row, other in zip(rows, more, strict=True)]
    cache = KVCache(model)
    found = [cache.prefill(rows), *(cache.decode_step([other[n] for other in more]) for n in range(2))]
    for b, row in enumerate(rows):
        assert_close(np.array([logits[b] for logits in found]), wanted[b][len(row) - 1 :])


@family
def test_training_does_not_notice_that_the_model_speaks_in_between(name: str) -> None:
    model = model_of(FAMILY[name], np.float32)
    ids, _ = small_batch()

    def gradients(speak: bool) -> Floats:
        dlogits = np.ones_like(model.forward(ids))
        if speak:
            cache = KVCache(model)
            cache.prefill([[1, 2, 3], [4]])
            cache.decode_step([5, 6])
        model.backward(dlogits)
        return model.parameters.grads.copy()

    values = model.parameters.values.copy()
    np.testing.assert_array_equal(gradients(speak=True), gradients(speak=False))
    np.testing.assert_array_equal(model.parameters.values, values)


@some
def test_a_second_text_finds_nothing_of_the_first(name: str) -> None:
    model = model_of(FAMILY[name])
    cache = KVCache(model)
    cache.prefill([[6, 5, 4, 3, 2], [1, 2, 3, 4, 5]])
    cache.decode_step([1, 1])
    assert_close(cache.prefill([[3, 1]])[0], whole(model, [3, 1])[-1])
    assert_close(cache.decode_step([2])[0], whole(model, [3, 1, 2])[-1])


@some
def test_two_texts_may_be_read_by_turns(name: str) -> None:
    model = model_of(FAMILY[name])
    first, second = KVCache(model), KVCache(model)
    kept = first.prefill([[1, 2]])
    before = kept.copy()
    second.prefill([[3, 4, 5]])
    for token in (6, 0):
        first.decode_step([token])
        second.decode_step([1])
    np.testing.assert_array_equal(kept, before)  # logits are the caller's own
    assert_close(first.decode_step([3])[0], whole(model, [1, 2, 6, 0, 3])[-1])
    assert_close(second.decode_step([3])[0], whole(model, [3, 4, 5, 1, 1, 3])[-1])


@family
def test_rows_that_are_kept_go_on(name: str) -> None:
    model = model_of(FAMILY[name])
    prompts = [[3, 1, 3], [5], [6, 2]]
    for rows in ([1], [2, 0], [0, 0, 2], [1, 2, 0], [0, 1, 2]):
        cache = KVCache(model)
        cache.prefill(prompts)
        cache.decode_step([4, 0, 1])
        cache.keep(rows)
        found = cache.decode_step(list(range(len(rows))))
        for b, row in enumerate(rows):
            wanted = whole(model, [*prompts[row], [4, 0, 1][row], b])
            assert_close(found[b], wanted[-1])


@settings(max_examples=60)
@given(data=st.data())
def test_any_course_of_reading_and_keeping(data: st.DataObject) -> None:
    model = model_of(LONG)
    tokens = st.integers(0, 6)
    texts = data.draw(st.lists(st.lists(tokens, min_size=1, max_size=12), min_size=1, max_size=4))
    cache = KVCache(model)
    found = cache.prefill(texts)
    for _ in range(data.draw(st.integers(0, 12))):
        if data.draw(st.booleans()):
            kept = data.draw(st.lists(st.integers(0, len(texts) - 1), min_size=1, max_size=4))
            cache.keep(kept)
            texts = [texts[row] for row in kept]
        new = data.draw(st.lists(tokens, min_size=len(texts), max_size=len(texts)))
        texts = [[*text, token] for text, token in zip(texts, new, strict=True)]
        found = cache.decode_step(new)
    if len(found) == len(texts):
        for logits, text in zip(found, texts, strict=True):
            assert_close(logits, whole(model, text)[-1])


def test_the_context_can_be_filled_but_not_overfilled() -> None:
    model = model_of(FAMILY["default"])
    cache = KVCache(model)
    cache.prefill([[1] * 4, [1]])
    for _ in range(2):
        cache.decode_step([2, 2])
    with pytest.raises(ValueError, match="6 tokens"):
        cache.decode_step([2, 2])
    cache.keep([1])  # the longer one goes, and there is room again
    for length in (4, 5, 6):
        assert_close(cache.decode_step([2])[0], whole(model, [1] + [2] * (length - 1))[-1])
    with pytest.raises(ValueError, match="6 tokens"):
        cache.decode_step([2])


@pytest.mark.parametrize(("n_rows", "tokens"), [(1, []), (1, [2, 3]), (2, [2]), (3, [2, 3])], ids=str)
def test_every_row_goes_on_by_one_token(n_rows: int, tokens: list[int]) -> None:
    model = model_of(FAMILY["default"])
    cache = KVCache(model)
    cache.prefill([[1]] * n_rows)
    with pytest.raises(ValueError, match=f"{n_rows} rows need a token each"):
        cache.decode_step(tokens)
    for found in cache.decode_step([2] * n_rows):  # as if it had not been tried
        assert_close(found, whole(model, [1, 2])[-1])


@pytest.mark.parametrize("rows", [[[]], [[1], []], [[1] * 7], [[1], [1] * 7]], ids=["0", "1 0", "7", "1 7"])
def test_rows_that_are_empty_or_too_long_are_refused(rows: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="1 to 6 tokens"):
        KVCache(model_of(FAMILY["default"])).prefill(rows)


@pytest.mark.parametrize("name", list(PRESETS))
def test_it_takes_the_words_that_full_recomputation_takes(name: str) -> None:
    model = Transformer(PRESETS[name].model_config(120))
    model.parameters.initialise(np.random.default_rng(3))
    row, cache = [5, 90, 17], KVCache(model)
    logits = cache.prefill([row])
    for place in range(len(row), model.config.max_seq_len):
        if place % 7 == 0:
            wanted = whole(model, row)[-1:]
            assert logits.argmax() == wanted.argmax()
            np.testing.assert_allclose(logits, wanted, atol=2e-5 * np.abs(wanted).max())
        row.append(int(logits.argmax() + place) % 120)  # not always the same word
        logits = cache.decode_step(row[-1:])


def test_new_weights_are_seen_by_the_next_text() -> None:
    model = model_of(FAMILY["gemma3"])
    cache = KVCache(model)
    cache.prefill([[1, 2]])
    model.parameters.values *= 0.9
    assert_close(cache.prefill([[1, 2]])[0], whole(model, [1, 2])[-1])


@some
def test_huge_scores_do_not_overflow(name: str) -> None:
    model = model_of(FAMILY[name], np.float32)
    for block in model.blocks:
        block.attention.w_qkv *= 200
    cache = KVCache(model)
    with np.errstate(all="raise", under="ignore"):
        found = [cache.prefill([[1, 2], [3]]), cache.decode_step([4, 5])]
    assert np.isfinite(found).all()
