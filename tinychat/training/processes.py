"""Processes that take part in the training: started, ended, and missed."""

import os
import subprocess
import sys
from contextlib import suppress

from tinychat.errors import WorkerError


def n_cores() -> int:
    """That this process may use, as far as the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start_process(module: str) -> "subprocess.Popen[bytes]":
    """The `main` of that module in a new process, with pipes. Raise OSError if that cannot be."""
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {module} import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what it has to say it answers; the screen may belong to an app
        env={**os.environ, "PYTHONPATH": os.pathsep.join(place or os.getcwd() for place in sys.path)},
        start_new_session=True,  # Ctrl+C is for the process that it works for
    )


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """At once, with its pipes."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not sent, to nobody
                pipe.close()


def gone(process: "subprocess.Popen[bytes]") -> WorkerError:
    """What to raise where a process has ended that should not have."""
    code = process.wait()
    reason = ", perhaps for want of memory" if code < 0 else ""
    return WorkerError(f"a worker process has ended (exit code {code}){reason}; train with --workers 1")
