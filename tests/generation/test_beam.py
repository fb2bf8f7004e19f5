"""Beam search finds what a look at all continuations finds, and with one beam what greedy decoding does."""

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from tinychat.config import ModelConfig
from tinychat.core.cache import KVCache
from tinychat.core.model import Transformer
from tinychat.errors import ConfigError
from tinychat.generation.beam import Beams, beam_search, log_probabilities
from tinychat.generation.greedy import greedy
from tinychat.model import Model

Make = Callable[..., Model]
V, CONTEXT, END = 5, 6, 3
PROMPT = [1, 4]


def tiny(seed: int) -> Transformer:
    config = ModelConfig(
        vocab_size=V, n_layers=1, d_model=8, head_dim=8, d_ff=8, max_seq_len=CONTEXT, norm_position="pre"
    )
    transformer = Transformer(config)
    values = transformer.parameters.values
    values[...] = 0.5 * np.random.default_rng(seed).standard_normal(values.size)
    return transformer


def every_continuation(transformer: Transformer) -> list[tuple[list[int], float, int]]:
    """Each with its log probability and its number of tokens, an end token being one: by the definition."""
    found = []
    for length in range(1, CONTEXT - len(PROMPT) + 1):
        for ids in product(range(V), repeat=length):
            if END in ids[:-1] or (ids[-1] != END and length < CONTEXT - len(PROMPT)):
                continue
            shares = log_probabilities(transformer.forward(np.array([[*PROMPT, *ids]]))[0])
            total = math.fsum(shares[len(PROMPT) - 1 + n, token] for n, token in enumerate(ids))
            found.append(([token for token in ids if token != END], total, length))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_beam_wide_enough_finds_the_best_of_all(seed: int) -> None:
    transformer = tiny(seed)
    everything = every_continuation(transformer)
    assert len(everything) == 1 + 4 + 4**2 + 4**3 * 5
    assert math.fsum(math.exp(total) for _, total, _ in everything) == pytest.approx(1, abs=1e-5)
    for penalty in (0, 0.6, 1.0, 2.5):
        best = max(everything, key=lambda each: each[1] / ((5 + each[2]) / 6) ** penalty)
        assert beam_search(transformer, PROMPT, END, Beams(V**4, penalty)) == best[0]


def test_a_longer_answer_may_win_by_its_length_alone() -> None:
    lengths = [
        [len(beam_search(tiny(seed), PROMPT, END, Beams(V**4, penalty))) for penalty in (0, 3)]
        for seed in range(12)
    ]
    assert all(short <= long for short, long in lengths)
    assert any(short < long for short, long in lengths)


def test_wider_beams_find_no_worse_answers_and_a_better_one_somewhere() -> None:
    found = []
    for seed in range(12):
        transformer = tiny(seed)
        scores = {tuple(ids): total for ids, total, _ in every_continuation(transformer)}
        narrow, wide = (scores[tuple(beam_search(transformer, PROMPT, END, Beams(n, 0)))] for n in (1, 300))
        found.append((narrow, wide))
    assert all(wide >= narrow - 1e-9 for narrow, wide in found)
    assert any(wide > narrow + 0.1 for narrow, wide in found)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("penalty", [0, 0.6, 2])
def test_one_beam_is_greedy(make_model: Make, seed: int, penalty: float) -> None:
    model = make_model(seed=seed, max_seq_len=24)
    prompt = model.tokenizer.encode("What is rain?")
    written = list(greedy(model.transformer, prompt, -1))
    assert beam_search(model.transformer, prompt, -1, Beams(1, penalty)) == written
    end = written[6]
    assert beam_search(model.transformer, prompt, end, Beams(1, penalty)) == written[: written.index(end)]


@pytest.mark.parametrize("length", [5, 6, 7])
def test_at_the_end_of_the_context(length: int) -> None:
    assert len(beam_search(tiny(0), [1] * length, -1, Beams(3))) == max(0, CONTEXT - length)


def test_it_stops_when_nothing_better_can_come(make_model: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(max_seq_len=60)
    steps = []
    step = KVCache.decode_step
    monkeypatch.setattr(KVCache, "decode_step", lambda cache, ids: steps.append(1) or step(cache, ids))
    model.transformer.parameters.scope("output")["b_out"][7] = 50.0
    assert beam_search(model.transformer, [6], 7, Beams(4)) == []
    assert steps == []


def test_as_an_answer(make_model: Make) -> None:
    model = make_model(max_seq_len=30)
    reply = model.reply("How?", Beams(3))
    texts = list(reply)
    ids = beam_search(model.transformer, reply.prompt_ids, model.tokenizer.end_id, Beams(3))
    assert reply.ids == ids
    assert len(texts) == len(ids) == 30 - len(reply.prompt_ids)
    assert texts[-1] == model.ask("How?", Beams(3))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0,), "beams must be a whole number of at least 1"),
        ((2.0,), "beams"),
        ((True,), "beams"),
        ((2, -0.1), "length_penalty must be a number of at least 0"),
        ((2, math.inf), "length_penalty"),
        ((2, 300), "at most 10"),
        ((1_000_000, 0.6), "beams must be at most 1024"),
        ((2, math.nan), "length_penalty"),
        ((2, "x"), "length_penalty"),
    ],
)
def test_values_that_make_no_sense(values: tuple[object, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Beams(*values)  # type: ignore[arg-type]
