"""`tinychat`: the full-screen program.

What is wrong with the flags, and what is missing, is told before the screen opens; what only reading can tell
leaves the screen again.
"""

import argparse
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tinychat.cli import RUN
from tinychat.commands.recipe import check_resume, corpus_source, library, new_recipe, training_run
from tinychat.corpus.bundled import find_corpus
from tinychat.errors import TerminalError, UsageError

if TYPE_CHECKING:
    from tinychat.model import Model
    from tinychat.training.run import TrainingRun


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
    path = None
    if "load" in args:
        path = models.find(args.load)
    elif "resume" in args:
        check_resume(args)
        path = models.find(args.resume)
    else:
        new_recipe(args)
        find_corpus(corpus_source(args))

    gc.disable()  # of what is imported nothing is given back; looking for that takes a tenth of the start
    os.environ.setdefault("TEXTUAL_FPS", "120")  # what a key did waits for the next frame
    with _left_out("ssl"):  # which asyncio would like to have, for connections; a twentieth of the start
        from tinychat.tui.app import TinychatApp
        from tinychat.tui.opening import Opening

    def make() -> "TrainingRun | Model":
        from threadpoolctl import threadpool_limits

        from tinychat.weights import load

        made = load(path) if path and "load" in args else training_run(args)
        threadpool_limits(limits=1, user_api="blas")  # products this small are slower on two
        gc.freeze()
        gc.enable()
        return made

    app = TinychatApp(models, opening=Opening(make, is_training="load" not in args), path=path)
    app.run()
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0


@contextmanager
def _left_out(module: str) -> Iterator[None]:
    """What is imported meanwhile does without a module that it only tries for."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


def _is_terminal(stream: object) -> bool:
    return stream is not None and bool(getattr(stream, "isatty", bool)())
