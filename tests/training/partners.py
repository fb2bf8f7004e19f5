"""Partners that are there when they are looked at, and rows to give them."""

import time
from collections.abc import Iterator

from tinychat.training.events import Event, StepDone
from tinychat.training.partner import Partner
from tinychat.training.rows import Row
from tinychat.training.run import TrainingRun

ROWS = [Row([1, 2, 3, 4, 5, 6], [True] * 6), Row([3, 1, 4], [False, True, True])]


def events_of(run: TrainingRun, partners: list[Partner]) -> Iterator[Event]:
    """Of a run whose second update waits until the partner is there."""
    for event in run.run():
        if partners and isinstance(event, StepDone):
            wait_for(partners[-1])
        yield event


def wait_for(partner: Partner) -> None:
    end = time.monotonic() + 30
    while not partner._desk.mailbox.is_done and time.monotonic() < end:
        time.sleep(0.01)


def joined(partner: Partner) -> Partner:
    partner.link.join()
    assert partner.link.is_here
    return partner
