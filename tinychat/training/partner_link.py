"""A Partner's process, seen from where it was started: when it comes, what it is told, and how it ends."""

import math
import pickle
import shutil
import subprocess
from time import monotonic, sleep

from tinychat.errors import WorkerError
from tinychat.training.mailbox import GoneError, Mailbox
from tinychat.training.partner_process import BEGIN, Setting
from tinychat.training.processes import end_process, gone, start_process

START_AFTER_S = 0.3
"""A training that is over by then is not worth a process."""
LONGEST_START_S = 30.0
"""For whoever waits for the partner."""


class PartnerLink:
    """The process is started some time after this was made, and takes part as soon as it is there."""

    def __init__(self, setting: Setting, mailbox: Mailbox) -> None:
        """The mailbox is that of the desk of which the setting has the place."""
        self.is_here = False
        """Whether there is a process that takes part."""
        self.process: subprocess.Popen[bytes] | None = None
        self._setting, self._mailbox = setting, mailbox
        self._start_at = monotonic() + START_AFTER_S

    def join(self) -> None:
        """Start the process at once, and wait until it takes part, or cannot."""
        self._start()
        end = monotonic() + LONGEST_START_S
        while self.process is not None and not self.is_here and monotonic() < end:
            sleep(0.01)
            self.look_out()

    def look_out(self) -> None:
        """Start the process when it is time, and give it work as soon as it is there."""
        if self.process is None:
            if monotonic() >= self._start_at:
                self._start()
        elif self.process.poll() is not None:
            self.leave()
        elif self._mailbox.is_done:
            self.is_here = True
            # Both have mapped it, and most systems keep what is mapped: nothing is left if we are killed.
            shutil.rmtree(self._setting.path.parent, ignore_errors=True)

    def post(self, *job: int) -> int:
        """Give it a job; return its place among all. Raise WorkerError if it is no longer there."""
        try:
            return self._mailbox.post(*job)
        except GoneError:
            raise self._gone() from None

    def wait(self, n_jobs: int | None = None) -> None:
        """Until so many jobs are done, or all, if it takes part. Raise WorkerError if they never will be."""
        if self.is_here:
            try:
                self._mailbox.wait(n_jobs)
            except GoneError:
                raise self._gone() from None

    def leave(self) -> None:
        """End the process: from now on alone."""
        self.is_here = False
        if self.process is not None:
            end_process(self.process)
            self.process = None

    def _start(self) -> None:
        self._start_at = math.inf  # once
        try:
            self.process = process = start_process("tinychat.training.partner_process")
            assert process.stdin is not None
            pickle.dump(self._setting, process.stdin)
            process.stdin.flush()
        except OSError:  # then it is done alone
            self.leave()
            return
        self._mailbox.is_alive = lambda: process.poll() is None
        self._mailbox.post(BEGIN)

    def _gone(self) -> WorkerError:
        assert self.process is not None
        return gone(self.process)
