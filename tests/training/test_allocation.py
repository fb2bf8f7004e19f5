"""Training allocates nothing worth mentioning once it has seen every shape."""

import tracemalloc
from itertools import islice
from typing import Any

import numpy as np
import pytest

from tinychat.config import IGNORE, ModelConfig, TrainConfig
from tinychat.core.model import Transformer
from tinychat.corpus import Corpus, Turn
from tinychat.presets import PRESETS
from tinychat.training.events import EpochDone, StepDone
from tinychat.training.optimizer import clip_by_global_norm_, make_optimizer
from tinychat.training.run import TrainingRun

LARGEST = 64 * 1024
"""Bytes. The work arrays of a row of the whole context are all larger but for the attention's."""


def corpus_of_long_rows() -> Corpus:
    rng = np.random.default_rng(0)
    words = [f"word{number}" for number in range(300)]
    texts = [" ".join(rng.choice(words, length)) for length in (79, 70, 60, 79)]
    return Corpus("long", tuple(texts), ((Turn("What?", texts[0][:300]),),))


def test_ten_updates_allocate_no_array_above_64_kb() -> None:
    run = TrainingRun.start(
        corpus_of_long_rows(), PRESETS["classic"], pretrain_epochs=6, sample_every=9, workers=1
    )
    events = run.run()
    for event in events:
        if isinstance(event, EpochDone) and event.epoch == 2:
            break
    tracemalloc.start()
    try:
        next(events)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        # An array that lives only for a moment is in the peak all the same.
        steps = [event for event in islice(events, 13) if isinstance(event, StepDone)]
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(steps) >= 10
    assert peak - before < LARGEST
    assert after - before < LARGEST / 4


MODERN: dict[str, Any] = dict(PRESETS["modern"].model)
NANOGPT: dict[str, Any] = {
    "n_heads": 4,
    "n_kv_heads": 4,
    "d_model": 128,
    "head_dim": 32,
    "d_ff": 512,
    "max_seq_len": 64,
    "norm_position": "pre",
    "activation": "gelu",
    "bias": False,
    "attention_output": True,
}
NORMS = {"activation": "gelu_tanh", "qk_norm": True, "norm_position": "sandwich", "logit_softcap": 30.0}
SHAPES: dict[str, tuple[dict[str, Any], int, int, int]] = {
    "nanogpt": (NANOGPT, 65, 3, 64),
    "nanogpt with dropout": ({**NANOGPT, "dropout": 0.1}, 65, 3, 64),
    "modern": (MODERN, 3000, 16, 20),
    "norms everywhere": ({**MODERN, **NORMS}, 3000, 10, 20),
}
"""Fields of the config, V, B and T: so few places that all small arrays together stay below the bound, and so
many that an array with a vector a place is above it."""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["adamw", "muon", "sgd"])
def test_the_tenth_update_allocates_no_array_above_64_kb(shape: str, kind: str) -> None:
    fields, V, B, T = SHAPES[shape]
    transformer = Transformer(ModelConfig(vocab_size=V, **fields))
    transformer.parameters.initialise(np.random.default_rng(0))
    optimizer = make_optimizer(kind, transformer.parameters)
    config = TrainConfig(optimizer=kind, weight_decay=0.1)
    rng = np.random.default_rng(0)
    ids, targets = rng.integers(0, V, (2, B, T))
    targets[:, : T // 2] = IGNORE

    def update() -> None:
        transformer.loss_and_gradients(ids, targets, rng)
        clip_by_global_norm_(transformer.parameters.grads, 1.0)
        optimizer.step(config, 1e-3)

    for _ in range(9):
        update()
    # NumPy's own buffers, one an operand that has to be cast or brought together, are small and bounded.
    buffer = np.setbufsize(1024)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        update()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        np.setbufsize(buffer)
    assert peak - before < LARGEST
    assert ids.size * transformer.config.d_model * 4 > LARGEST, "or the test could not fail"
