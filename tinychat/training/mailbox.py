"""Numbers in memory that two processes share, by which one gives the other jobs.

A pipe takes tens of microseconds to wake the other process, as long as a job takes. Here whoever waits keeps
looking, and finds what it waits for within one or two.
"""

import os
import threading
from collections.abc import Callable
from time import perf_counter, sleep
from typing import Any

JOB = 4
"""Numbers of a job."""
RING = 64
"""Jobs that may wait."""
N_BYTES = 8 * (2 + RING * JOB)
"""Of a mailbox: how many jobs were posted, how many are done, and the last that were posted."""
PATIENCE_S = 0.01
"""So long the taker keeps looking; from then on it sleeps in between."""
SHORTEST_NAP_S, LONGEST_NAP_S = 0.0005, 0.02
_GLANCES = 100
_give_way: Callable[[], Any] = getattr(os, "sched_yield", lambda: sleep(0))


class GoneError(Exception):
    """The other process has ended, so that nobody does the jobs."""


class Mailbox:
    """Jobs, each of JOB whole numbers, done in the order in which they are posted."""

    def __init__(self, memory: memoryview) -> None:
        """N_BYTES of shared memory, all 0 at first."""
        self.is_alive: Callable[[], bool] = lambda: True
        """Whether there is somebody to do the jobs."""
        self._numbers = memory.cast("q")
        self._n_posted = self._n_done = 0
        self._lock = threading.Lock()
        self._lock.acquire()

    def post(self, *job: int) -> int:
        """Whoever takes the job sees what was written before. Return how many there are with this one.

        Raise GoneError if nobody ever will take it.
        """
        if self._n_posted - self._numbers[1] >= RING:
            self._wait_for(self._n_posted - RING + 1)
        first = 2 + self._n_posted % RING * JOB
        for place, number in enumerate(job, first):
            self._numbers[place] = number
        self._n_posted += 1
        self._fence()
        self._numbers[0] = self._n_posted
        return self._n_posted

    @property
    def is_done(self) -> bool:
        """Whether no job is left."""
        return self._numbers[1] == self._n_posted

    def wait(self, n_jobs: int | None = None) -> None:
        """Until so many jobs are done, or all. Raise GoneError if they never will be."""
        self._wait_for(self._n_posted if n_jobs is None else n_jobs)
        self._fence()

    def _wait_for(self, n_done: int) -> None:
        while not self._sees(1, n_done, 0.5):
            if not self.is_alive():
                raise GoneError

    def take(self) -> tuple[int, ...]:
        """The next job, as soon as there is one."""
        nap_s = SHORTEST_NAP_S
        if not self._sees(0, self._n_done + 1, PATIENCE_S):
            while self._numbers[0] <= self._n_done:
                sleep(nap_s)
                nap_s = min(2 * nap_s, LONGEST_NAP_S)
        self._fence()
        first = 2 + self._n_done % RING * JOB
        return tuple(self._numbers[first : first + JOB])

    def finish(self) -> None:
        """Say that the job that was taken is done."""
        self._n_done += 1
        self._fence()
        self._numbers[1] = self._n_done

    def _sees(self, place: int, number: int, patience_s: float) -> bool:
        """Whether there is at least this number before patience runs out."""
        numbers = self._numbers
        for _ in range(_GLANCES):
            if numbers[place] >= number:
                return True
        end = perf_counter() + patience_s
        while numbers[place] < number:
            _give_way()  # the processor, to whoever has none: it may be the other
            if perf_counter() > end:
                return False
        return True

    def _fence(self) -> None:
        """Keep apart what is read and written before and afterwards, as a lock that changes hands does.

        Some processors would show the other process a new count before what it counts.
        """
        self._lock.release()
        self._lock.acquire()
