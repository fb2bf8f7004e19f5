"""A model learns for a while in shared memory, and keeps what it has learnt there."""

import numpy as np
from partners import events_of
from tiny_runs import start

from tinychat.training.events import StepDone
from tinychat.training.partner import Partner


def test_at_the_end_the_model_has_its_own_again(partners: list[Partner]) -> None:
    run = start(workers=2)
    transformer = run.model.transformer
    begun = transformer.parameters.values.copy()
    events = events_of(run, partners)
    for event in events:
        if isinstance(event, StepDone) and partners[-1].link.is_here:
            break
    learnt = run.model.transformer
    assert learnt is not transformer
    values = learnt.parameters.values.copy()
    moments = {name: vector.copy() for name, vector in run.optimizer.state.items()}
    folder = partners[-1]._shared.path.parent
    process = partners[-1].link.process
    assert process is not None
    events.close()  # as a loop does that is left
    assert run.model.transformer is transformer
    np.testing.assert_array_equal(transformer.parameters.values, values)
    assert np.abs(values - begun).max() > 0
    assert run.optimizer.parameters is transformer.parameters
    for name, vector in moments.items():
        np.testing.assert_array_equal(run.optimizer.state[name], vector)
    assert process.poll() is not None
    assert not folder.exists()


def test_a_model_that_was_changed_meanwhile_stays_as_it_is(partners: list[Partner]) -> None:
    """A lesson puts another transformer in its place."""
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        other = run.model.transformer = start(seed=3).model.transformer
    assert run.model.transformer is other
    assert not partner._shared.path.parent.exists()
