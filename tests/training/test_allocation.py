"""Training allocates nothing worth mentioning once it has seen every shape."""

import tracemalloc
from itertools import islice

import numpy as np

from tinychat.corpus import Corpus, Turn
from tinychat.presets import PRESETS
from tinychat.training.events import EpochDone, StepDone
from tinychat.training.run import TrainingRun

LARGEST = 64 * 1024
"""Bytes. The work arrays of a row of the whole context are all larger but for the attention's."""


def corpus_of_long_rows() -> Corpus:
    rng = np.random.default_rng(0)
    words = [f"word{number}" for number in range(300)]
    texts = [" ".join(rng.choice(words, length)) for length in (79, 70, 60, 79)]
    return Corpus("long", tuple(texts), ((Turn("What?", texts[0][:300]),),))


def test_ten_updates_allocate_no_array_above_64_kb() -> None:
    run = TrainingRun.start(corpus_of_long_rows(), PRESETS["classic"], pretrain_epochs=6)
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
