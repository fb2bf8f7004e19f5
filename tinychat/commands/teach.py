"""`tinychat teach`: one more answer for saved weights, or all that they were taught as a corpus."""

import argparse
import json
import sys
from collections.abc import Callable

from tinychat.commands.recipe import library
from tinychat.corpus import load_corpus
from tinychat.corpus.writers import write_dialogues
from tinychat.errors import UsageError
from tinychat.model import Model
from tinychat.training.events import LessonDone
from tinychat.training.teaching import Lesson
from tinychat.weights import load, place_to_save, read_summary, save


def run(args: argparse.Namespace) -> int:
    path = library(args).find(args.load)
    if "export" in args:
        if "answer" in args or "question" in args:
            raise UsageError(
                "--export writes what was taught before, and teaches nothing; leave the rest out"
            )
        dialogues = [(turn,) for turn in read_summary(path).card.taught]
        _note(f"written to {write_dialogues(dialogues, args.export)}")
        return 0
    if "answer" not in args:
        raise UsageError(
            'say what to teach, "QUESTION" "ANSWER", or where to write what was taught, --export'
        )
    place = place_to_save(getattr(args, "out", path))
    model = load(path)
    corpus = load_corpus(args.corpus) if "corpus" in args else None
    lesson = Lesson(model, args.question, args.answer, corpus)
    for event in lesson.run():
        if "json" in args:
            print(json.dumps(event.to_dict()), flush=True)
        elif isinstance(event, LessonDone):
            tell(event, _note)
    lesson.put_in()
    _note(f"saved in {save(model, place)}")
    return 0


def _note(text: str) -> None:
    print(f"tinychat: {text}", file=sys.stderr)


def taught(model: Model, question: str, answer: str, note: Callable[[str], None]) -> Lesson:
    """Teach the model, and say what came of it."""
    lesson = Lesson(model, question, answer)
    for event in lesson.run():
        if isinstance(event, LessonDone):
            tell(event, note)
    lesson.put_in()
    return lesson


def tell(done: LessonDone, note: Callable[[str], None]) -> None:
    for line in done.notes:
        note(line)
