"""`tinychat chat`: a conversation line by line, for pipes, screen readers and slow links."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from threadpoolctl import threadpool_limits

from tinychat.commands.decoding import chosen
from tinychat.commands.recipe import library
from tinychat.commands.screen import shown
from tinychat.commands.standard_input import lines
from tinychat.commands.teach import taught
from tinychat.errors import TinychatError, UsageError
from tinychat.generation.reply import Reply
from tinychat.generation.sampling import Sampling
from tinychat.generation.session import ChatSession
from tinychat.generation.transcript import export
from tinychat.model import Model
from tinychat.training.teaching import Lesson
from tinychat.weights import load, save

HELP = """\
/regenerate   answer the last question once more
/edit TEXT    ask this in place of the last question
/continue     go on with an answer that was stopped
/teach ANSWER let it learn this as the answer to the last question
/undo         take back what it was taught last
/save [FILE]  write the model, with what it was taught, to where it came from, or to another file
/export FILE  write the conversation to a new file, .md or .jsonl
/clear        forget the conversation
/quit         leave, as the end of the input does (Ctrl+D)
//TEXT        ask something that begins with a slash
Ctrl+C stops an answer, and gives up a lesson."""


def run(args: argparse.Namespace) -> int:
    sampling = chosen(args)
    path = library(args).find(args.load)
    model = load(path)
    with threadpool_limits(limits=1, user_api="blas"):  # products this small are slower on two
        return _Conversation(ChatSession(model, sampling), path, sys.stdin.isatty()).run()


class _Conversation:
    """Answers go to standard output; so do labels if a human types, and all else to standard error."""

    def __init__(self, session: ChatSession, path: Path, is_typed: bool) -> None:
        """`path` is where the model came from."""
        self.session, self.path, self.is_typed = session, path, is_typed
        self._lessons: list[Lesson] = []
        self._is_saved = True
        self.is_over = False
        self.code = 0

    def run(self) -> int:
        """Talk until the end; return the exit code, which tells what failed where nobody sees it."""
        if self.is_typed:
            _note(_welcome(self.session.model))
        for line in _typed_lines() if self.is_typed else lines():
            try:
                self._obey(line) if line.startswith("/") and line[1:2] != "/" else self._ask(line)
            except TinychatError as error:
                _note(str(error))
                self.code = error.exit_code
            if self.is_over:
                break
        if not self._is_saved:
            _note("what was taught or taken back since was not saved; /save does that")
        return 0 if self.is_typed else self.code

    def _ask(self, line: str) -> None:
        if line:
            self._answer(self.session.ask(line.removeprefix("/")))

    def _answer(self, reply: Reply) -> None:
        """Write what is new of the answer, as it is written."""
        for note in reply.notes:
            _note(note)
        n_shown = len(reply.text)
        if self.is_typed:
            print("Model: ", end="", flush=True)
        try:
            for text in reply:
                text = text.rstrip("�")  # of a character that has only begun
                new, n_shown = text[n_shown:], len(text)
                print(shown(new), end="", flush=True)
        except KeyboardInterrupt:
            if not self.is_typed:
                raise
            _note("\nstopped; /continue goes on")
        print(shown(reply.text[n_shown:]), flush=True)
        self.session.remember(reply)

    def _obey(self, line: str) -> None:
        """Do what a command says. Raise UsageError if there is none of that name."""
        name, _, rest = line[1:].partition(" ")
        rest = rest.strip()
        if name == "help":
            _note(HELP)
        elif name == "regenerate":
            reply = self.session.regenerate()
            if not (isinstance(self.session.sampling, Sampling) and self.session.sampling.temperature):
                _note("the likeliest words do not change; start with --temperature to get others")
            self._answer(reply)
        elif name == "edit":
            self._answer(self.session.edit(rest))
        elif name == "continue":
            if self.session.last is None or self.session.last.is_complete:
                raise UsageError("no answer was stopped; /regenerate answers once more")
            self._answer(self.session.last)
        elif name == "teach":
            self._teach(rest)
        elif name == "undo":
            self._undo()
        elif name == "save":
            _note(f"saved in {save(self.session.model, rest or self.path)}")
            self._is_saved = True
        elif name == "export":
            if not rest:
                raise UsageError("a conversation is written to a file: /export FILE.md, or FILE.jsonl")
            _note(f"written to {export(self.session.turns, rest, self.session.model.card.is_chat)}")
        elif name == "clear":
            self.session.clear()
        elif name == "quit":
            self.is_over = True
        else:
            raise UsageError(f"no command is called '/{name}'; /help lists them")

    def _teach(self, answer: str) -> None:
        if self.session.last is None:
            raise UsageError("nothing was asked yet; ask the question first")
        if not answer:
            raise UsageError("say the right answer to the last question: /teach ANSWER")
        try:
            lesson = taught(self.session.model, self.session.last.prompt, answer, _note)
        except KeyboardInterrupt:
            if not self.is_typed:
                raise
            _note("\nnot learnt: given up")
            return
        self._lessons.append(lesson)
        self._is_saved = False
        _note("/undo takes it back, /save keeps it")
        self._answer(self.session.regenerate())

    def _undo(self) -> None:
        if not self._lessons:
            raise UsageError("nothing was taught in this conversation; /teach ANSWER does that")
        lesson = self._lessons.pop()
        lesson.take_back()
        self._is_saved = False
        _note(f"no longer taught: {lesson.turn.user}")


def _typed_lines() -> Iterator[str]:
    """Lines as a human types them, with history and editing where the system has them."""
    with suppress(ImportError):
        import readline  # noqa: F401
    while True:
        try:
            if sys.stdout.isatty():
                line = input("You: ")
            else:  # `input` would write to the output
                print("You: ", end="", file=sys.stderr, flush=True)
                line = sys.stdin.readline()
                if not line:
                    return
            yield line.strip()
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            _note("\n/quit or Ctrl+D leaves")
        except UnicodeDecodeError:
            _note("this is not UTF-8 text; type it again")


def _welcome(model: Model) -> str:
    about = f"a model of {model.n_parameters:,} parameters; /help lists the commands, Ctrl+D leaves"
    if model.card.is_chat:
        return about
    return f"{about}\nit has read plain text only: it writes on where you stop"


def _note(text: str) -> None:
    for line in text.splitlines():
        print(f"tinychat: {shown(line, sys.stderr)}" if line else "", file=sys.stderr, flush=True)
