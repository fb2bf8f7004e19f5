"""A partner makes training of one example at a time faster, and nothing else of it different."""

from typing import Any

import numpy as np
import pytest
from partners import ROWS, events_of, joined
from tiny_runs import comparable, start, state

from tinychat.errors import WorkerError
from tinychat.training import partner as module
from tinychat.training.batches import to_batch
from tinychat.training.events import StepDone
from tinychat.training.optimizer import global_norm
from tinychat.training.partner import Partner

CASES: dict[str, dict[str, Any]] = {
    "adam": {},
    "adamw, clipped": {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 0.01},
    "sgd, accumulated": {"optimizer": "sgd", "momentum": 0.9, "accumulate": 2},
    "muon, tied": {"optimizer": "muon", "tie_embeddings": True, "dropout": 0.1, "validation": 0.3},
    "with two halves": {"d_ff": 10_000, "tune_epochs": 2},
    "modern": {"gated": True, "norm": "rmsnorm", "attention_output": True, "bias": False, "ema_decay": 0.9},
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_same_to_the_bit(case: str, partners: list[Partner]) -> None:
    alone = start(**CASES[case], workers=1)
    wanted = comparable(alone.run())
    assert not partners
    run = start(**CASES[case], workers=2)
    n_together = 0
    found = []
    for event in events_of(run, partners):
        n_together += isinstance(event, StepDone) and partners[-1].link.is_here
        found.append(event)
    assert len(partners) == 2, "one a phase"
    assert n_together > 10
    assert comparable(found) == wanted
    for model in (alone.model, run.model):  # the recipes differ in the number of workers
        model.card.configs.clear(), model.card.progress.clear()
    assert state(run.model) == state(alone.model)


def test_there_is_none_where_it_is_of_no_use(
    partners: list[Partner], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in ({"workers": 1}, {"workers": 2, "batch_size": 2}):
        for _ in start(**arguments).run():
            pass
    monkeypatch.setattr(module, "n_cores", lambda: 1)
    for _ in start(workers=2).run():
        pass
    assert not partners


def test_its_death_within_a_step_leaves_weights_that_are_not_kept(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        joined(partner).loss_and_gradients(ROWS[:1], [None])
        process = partner.link.process
        assert process is not None
        process.kill()
        process.wait()
        with pytest.raises(WorkerError) as caught:
            partner.step(run.optimizer, run.model.card.configs["tune"], 0.1)
    assert not caught.value.are_weights_whole


def test_between_two_updates_the_model_is_like_any_other(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        joined(partner).loss_and_gradients(ROWS[:1], [None])
        transformer = run.model.transformer
        transformer.loss_and_gradients(*to_batch(ROWS))
        found = transformer.parameters.grads.copy()
    own = run.model.transformer
    own.loss_and_gradients(*to_batch(ROWS))
    np.testing.assert_array_equal(found, own.parameters.grads)


def test_what_is_read_between_two_updates_changes_nothing(partners: list[Partner]) -> None:
    """The layers then hold something else than what was read ahead for the next update."""
    alone = start(workers=1)
    wanted = comparable(alone.run())
    run, n_read = start(workers=2), 0
    found = []
    for event in events_of(run, partners):
        if isinstance(event, StepDone) and partners[-1]._read is not None:
            n_read += 1
            run.model.transformer.loss(*to_batch(ROWS))
        found.append(event)
    assert n_read > 10
    assert comparable(found) == wanted
    np.testing.assert_array_equal(
        run.model.transformer.parameters.values, alone.model.transformer.parameters.values
    )


def test_what_comes_next_is_read_from_the_weights_of_this_update(partners: list[Partner]) -> None:
    run = start(workers=2)
    config = run.model.card.configs["tune"]
    with Partner(run.model, config) as partner:
        joined(partner).loss_and_gradients(ROWS[:1], [None])
        coming = ROWS[1:]
        partner.step(run.optimizer, config, 0.1, 0.5, coming)
        n_reads = partner.transformer.n_reads
        loss = partner.loss_and_gradients(coming, [None])
        assert partner.transformer.n_reads == n_reads, "once is enough"
    assert loss == run.model.transformer.loss(*to_batch(coming, run.model.config.max_seq_len))


def test_the_norm_is_that_of_one_alone(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        joined(partner).loss_and_gradients(ROWS[:1], [None])
        assert partner.global_norm() == global_norm(partner.transformer.parameters.grads) > 0
