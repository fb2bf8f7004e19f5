"""`tinychat train`: a training run without a screen."""

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from tinychat.cli import INTERRUPTED
from tinychat.commands.interrupts import Interrupted, interrupts
from tinychat.commands.recipe import library, training_run
from tinychat.commands.screen import console
from tinychat.errors import UsageError, WorkerError
from tinychat.model import Model
from tinychat.paths import user_path
from tinychat.presets import PHASE_TITLES
from tinychat.training.checkpoint import checkpointed
from tinychat.training.events import CheckpointSaved, EpochDone, Event, Finished, PhaseStarted, StepDone
from tinychat.training.run import TrainingRun
from tinychat.weights import place_to_save, save
from tinychat.wording import counted

_LOG_EVERY = 10
"""Epochs between two lines where no bar can be drawn."""


def run(args: argparse.Namespace) -> int:
    if "find_lr" in args:
        from tinychat.commands.find_lr import run as find_lr

        return find_lr(args)
    if "out" not in args and "resume" not in args:
        raise UsageError("say where to write the weights, with --out FILE")
    training = training_run(args)
    out = user_path(args.out) if "out" in args else library(args).find(args.resume)
    for warning in training.warnings:
        print(f"tinychat: {warning}", file=sys.stderr)
    out = place_to_save(out)  # better to learn now than after the training that nothing can be written
    show: AbstractContextManager[Callable[[Event], None]] = (
        nullcontext(_print_json) if "json" in args else _Bars()
    )
    try:
        with interrupts() as interrupted, show as show_event:
            _train(training, out, show_event, interrupted)
    except BrokenPipeError:  # the reader of the events has left; what was learnt is kept
        _keep(training.model, out)
        raise
    except WorkerError as error:  # mostly between two updates
        if training.model.card.epochs_done and error.are_weights_whole:
            print(f"tinychat: {_keep(training.model, out)}", file=sys.stderr)
        raise
    if interrupted:
        print(f"tinychat: {_keep(training.model, out)}", file=sys.stderr)
        return INTERRUPTED
    if "json" not in args:
        print(f"tinychat: {_summary(training.model)}; saved as {out}", file=sys.stderr)
    return 0


def _train(
    training: TrainingRun, out: Path, show_event: Callable[[Event], None], interrupted: Interrupted
) -> None:
    """Show the events, the last with the wall time of this training alone."""
    start = before = perf_counter()
    saving = 0.0
    for event in checkpointed(training, out):
        now = perf_counter()
        if isinstance(event, CheckpointSaved):
            saving += now - before
        if isinstance(event, Finished):
            event = replace(event, seconds=now - start - saving)
        show_event(event)
        if interrupted:
            return
        before = perf_counter()


def _keep(model: Model, out: Path) -> str:
    """Save what was learnt, and say how to go on; an epoch not yet done replaces no earlier model."""
    done = f"interrupted after {counted(model.card.epochs_done, 'epoch')}"
    if not model.card.epochs_done and out.exists():
        return f"{done}; {out} stays as it was"
    save(model, out)
    return f"{done}; go on with: tinychat train --resume {shlex.quote(str(out))}"


def _summary(model: Model) -> str:
    loss = model.card.final_loss
    return f"{counted(model.card.epochs_done, 'epoch')}, " + (
        "no loss yet" if loss is None else f"final loss {loss:.4f}"
    )


def _print_json(event: Event) -> None:
    """One object a line, for every event but the single updates."""
    if not isinstance(event, StepDone):
        print(json.dumps(event.to_dict()), flush=True)


class _Bars:
    """A Rich progress bar a phase on stderr; a line now and then where stderr is no terminal."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
        )
        self._task = TaskID(0)

    def __enter__(self) -> Callable[[Event], None]:
        if self._console.is_terminal:
            self._progress.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def _show(self, event: Event) -> None:
        if isinstance(event, PhaseStarted):
            title = PHASE_TITLES[event.phase]
            self._task = self._progress.add_task(f"{title:<18}", total=event.epochs, figures="")
        elif isinstance(event, EpochDone):
            figures = (
                f"loss {event.loss:.4f}  {event.tokens_per_s:,.0f} tokens/s  {event.seconds_left:.0f} s left"
            )
            self._progress.update(self._task, completed=event.epoch, figures=figures)
            if not self._console.is_terminal and (
                event.epoch % _LOG_EVERY == 0 or event.epoch in (1, event.epochs)
            ):
                print(f"{event.phase} {event.epoch}/{event.epochs}  {figures}", file=sys.stderr, flush=True)
