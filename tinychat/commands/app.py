"""`tinychat`: the full-screen program."""

import argparse
import sys

from threadpoolctl import threadpool_limits

from tinychat.cli import RUN
from tinychat.commands.recipe import library, training_run
from tinychat.errors import TerminalError, UsageError
from tinychat.weights import load


def run(args: argparse.Namespace) -> int:
    if "load" in args:
        for flag in sorted(RUN):
            if flag in args:
                raise UsageError(f"--load skips training; leave out --{flag.replace('_', '-')}")
    if not (_is_terminal(sys.__stdin__) and _is_terminal(sys.__stderr__)):
        raise TerminalError(
            "the full-screen program needs a terminal; without one, use 'tinychat train', "
            "and then 'tinychat chat' or 'tinychat ask'"
        )
    models = library(args)
    models.check_writable()
    from tinychat.tui.app import TinychatApp

    if "load" in args:
        path = models.find(args.load)
        app = TinychatApp(models, model=load(path), path=path)
    elif "resume" in args:
        app = TinychatApp(models, run=training_run(args), path=models.find(args.resume))
    else:
        app = TinychatApp(models, run=training_run(args))
    with threadpool_limits(limits=1, user_api="blas"):  # products this small are slower on two
        app.run()
    return app.return_code or 0


def _is_terminal(stream: object) -> bool:
    return stream is not None and bool(getattr(stream, "isatty", bool)())
