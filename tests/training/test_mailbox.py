"""Jobs from one process to another; threads here, for whom the same memory is shared."""

from threading import Event, Thread

import pytest

from tinychat.training import mailbox
from tinychat.training.mailbox import JOB, N_BYTES, RING, GoneError, Mailbox


@pytest.fixture
def pair() -> tuple[Mailbox, Mailbox]:
    memory = memoryview(bytearray(N_BYTES))
    return Mailbox(memory), Mailbox(memory)


def test_jobs_come_whole_and_in_order(pair: tuple[Mailbox, Mailbox]) -> None:
    ours, theirs = pair
    jobs = [tuple(range(n, n + JOB)) for n in range(5)]
    for job in jobs:
        ours.post(*job)
    taken = []
    for _ in jobs:
        assert not ours.is_done
        taken.append(theirs.take())
        theirs.finish()
    assert taken == jobs
    assert ours.is_done
    ours.wait()


def test_some_of_the_jobs_can_be_waited_for(pair: tuple[Mailbox, Mailbox]) -> None:
    ours, theirs = pair
    assert [ours.post(n) for n in range(3)] == [1, 2, 3]
    for _ in range(2):
        theirs.take()
        theirs.finish()
    ours.wait(2)
    ours.is_alive = lambda: False
    with pytest.raises(GoneError):
        ours.wait(3)


def test_a_job_is_not_done_before_it_is_finished(pair: tuple[Mailbox, Mailbox]) -> None:
    ours, theirs = pair
    ours.post(7)
    assert theirs.take()[0] == 7
    assert not ours.is_done
    theirs.finish()
    assert ours.is_done


@pytest.mark.parametrize("patience", [0.0, 1.0])
def test_whoever_waits_gets_it(
    pair: tuple[Mailbox, Mailbox], patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many more jobs than the ring has room for, with one side as slow as it likes."""
    monkeypatch.setattr(mailbox, "PATIENCE_S", patience)
    ours, theirs = pair
    seen: list[int] = []

    def work() -> None:
        for _ in range(5 * RING):
            number, square, *_ = theirs.take()
            assert square == number**2
            seen.append(number)
            theirs.finish()

    worker = Thread(target=work)
    worker.start()
    for number in range(5 * RING):
        ours.post(number, number**2)
        if number % 50 == 0:
            ours.wait()
            assert seen == list(range(number + 1))
    ours.wait()
    worker.join()
    assert seen == list(range(5 * RING))


def test_a_full_ring_waits_for_room(pair: tuple[Mailbox, Mailbox]) -> None:
    ours, theirs = pair
    for number in range(RING):
        ours.post(number)
    is_posted = Event()
    poster = Thread(target=lambda: (ours.post(RING), is_posted.set()))
    poster.start()
    assert not is_posted.wait(0.1)
    assert theirs.take()[0] == 0
    theirs.finish()
    assert is_posted.wait(5)
    poster.join()
    assert theirs.take()[0] == 1


def test_nobody_waits_for_the_dead(pair: tuple[Mailbox, Mailbox]) -> None:
    """Neither for a job, nor for room for one more."""
    ours, _ = pair
    ours.is_alive = lambda: False
    for number in range(RING):
        ours.post(number)
    with pytest.raises(GoneError):
        ours.wait()
    with pytest.raises(GoneError):
        ours.post(RING)
