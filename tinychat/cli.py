"""The command line: parses arguments, then makes one call. Heavy imports happen inside the commands."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

from tinychat.errors import TinychatError, UsageError
from tinychat.flags import DECODING_FIELDS, VIEWS, add_decoding, add_recipe, add_tokenizer, add_views, whole
from tinychat.presets import PRESETS, RECIPE_FIELDS, changes_over

INTERRUPTED = 130

RUN = {"corpus", "preset", "seed", "resume", "config", *RECIPE_FIELDS}
_FLAGS = {
    "train": RUN | {"data_dir", "json", "out", "find_lr"},
    "ask": {"data_dir", "load", "json", "prompt", "seed", *DECODING_FIELDS},
    "chat": {"data_dir", "load", "seed", *DECODING_FIELDS},
    "teach": {"data_dir", "load", "json", "question", "answer", "out", "export", "corpus"},
    "eval": {"data_dir", "load", "json", "corpus", "lookup"},
    "info": {"data_dir", "json", "toml", "file"},
    "corpora": {"json", "name", "preset", "tokenizer", "vocab_size", "max_seq_len"},
    "inspect": {
        *("data_dir", "load", "json", "prompt", "answer", "layer", "head"),
        *VIEWS,
        *("seed", *DECODING_FIELDS),
    },
    "compare": {"data_dir", "json", "first", "second"},
    "bench": {"json", "seconds"},
    "tokenize": {"data_dir", "load", "corpus", "tokenizer", "vocab_size", "json", "text"},
}
"""What each command takes."""
_MODULES = {None: "app", "eval": "evaluate"}
"""In tinychat.commands, of commands that are not called as theirs."""

EPILOG = """\
Without a command, tinychat opens full screen, trains, and lets you talk with the model.

  tinychat                                  train on the bundled corpus, then chat
  tinychat --corpus my-questions/           train on your own texts
  tinychat --load latest                    chat with the model saved last
  tinychat train --out rain.npz             train without a screen
  tinychat ask --load rain.npz "What causes rain?"
  tinychat chat --load rain.npz             talk with it line by line
  tinychat inspect --load rain.npz "What causes rain?" --attention
"""


class _Parser(argparse.ArgumentParser):
    place = ""
    """Where the arguments stand, if not on the command line."""

    def error(self, message: str) -> NoReturn:
        """One line, and exit 2."""
        text = " ".join(f"{self.place}{message}".split())
        self.exit(2, f"{self.prog}: {text}; see '{self.prog} --help'\n")


def build_parser(words: Sequence[str] | None = None) -> _Parser:
    """Of `words`, the command line, only whether `train` is among them counts: its many flags take long."""
    # A command's flag must not reset what stands before the command: absent flags leave no value at all.
    absent = argparse.SUPPRESS
    recipe, whole_recipe = (_Parser(add_help=False, argument_default=absent) for _ in range(2))
    for parser, is_told in ((recipe, False), (whole_recipe, True)):
        if is_told and words is not None and "train" not in words:
            continue
        parser.add_argument(
            "--corpus", metavar="NAME|PATH", help="bundled corpus, file or folder (default: basics)"
        )
        parser.add_argument("--seed", type=whole, metavar="N", help="start of all random draws (default: 0)")
        parser.add_argument("--config", metavar="FILE", help="a TOML file with values for any of the flags")
        parser.add_argument("--resume", metavar="FILE|NAME", help="go on with training that was interrupted")
        add_recipe(parser, is_told)
    place = _Parser(add_help=False, argument_default=absent)
    place.add_argument(
        "--data-dir", metavar="DIR", help="where models are kept (default: the user's data folder)"
    )
    source = _Parser(add_help=False, argument_default=absent, parents=[place])
    source.add_argument("--load", metavar="FILE|NAME", required=True, help="weights, or 'latest'")
    decoding = _Parser(add_help=False, argument_default=absent)
    add_decoding(decoding)
    as_json = _Parser(add_help=False, argument_default=absent)
    as_json.add_argument("--json", action="store_true", help="write JSON to standard output")

    parser = _Parser(
        prog="tinychat",
        description="Train a small transformer language model in your terminal, then talk with it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[recipe, place],
        allow_abbrev=False,  # it would take a command's --attention for an unfinished --attention-bias
    )
    parser.add_argument(
        "--load", metavar="FILE|NAME", default=absent, help="skip training and chat with saved weights"
    )
    parser.add_argument("--version", action="store_true", default=absent, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    parents = [whole_recipe, place, as_json]
    train = commands.add_parser("train", parents=parents, help="train without a screen")
    train.add_argument("--out", metavar="FILE", default=absent, help="where to write the weights")
    train.add_argument(
        "--find-lr", action="store_true", default=absent, help="try learning rates, draw the losses, and stop"
    )
    ask = commands.add_parser("ask", parents=[source, as_json, decoding], help="answer prompts")
    ask.add_argument("prompt", nargs="*", metavar="PROMPT", help="without one: a prompt a line from stdin")
    commands.add_parser("chat", parents=[source, decoding], help="talk line by line, without a screen")
    teach = commands.add_parser(
        "teach", parents=[source, as_json], help="teach saved weights one more answer"
    )
    teach.add_argument("question", nargs="?", default=absent, metavar="QUESTION")
    teach.add_argument("answer", nargs="?", default=absent, metavar="ANSWER", help="the right one, in words")
    teach.add_argument(
        "--out", metavar="FILE", default=absent, help="where to write them (default: in place)"
    )
    teach.add_argument(
        "--corpus", metavar="NAME|PATH", default=absent, help="their corpus, if it is not where it was"
    )
    teach.add_argument(
        "--export",
        metavar="FILE",
        default=absent,
        help="write all that was taught as a corpus: chat….txt, .jsonl",
    )
    evaluate = commands.add_parser("eval", parents=[place, as_json], help="measure a model on a corpus")
    evaluate.add_argument("--load", metavar="FILE|NAME", default=absent, help="weights, or 'latest'")
    evaluate.add_argument(
        "--lookup",
        action="store_true",
        default=absent,
        help="measure, in place of a model, the look-up of the training question that is most alike (TF-IDF)",
    )
    evaluate.add_argument("--corpus", metavar="NAME|PATH", required=True, help="what to measure it on")
    info = commands.add_parser("info", parents=[place, as_json], help="describe saved weights")
    info.add_argument("file", metavar="FILE|NAME")
    info.add_argument("--toml", action="store_true", default=absent, help="write the recipe, for --config")
    corpora = commands.add_parser("corpora", parents=[as_json], help="list the corpora, or inspect one")
    corpora.add_argument("name", nargs="?", default=absent, metavar="NAME|PATH", help="the one to inspect")
    corpora.add_argument(
        "--preset", choices=list(PRESETS), default=absent, help="recipe that it is for (default: classic)"
    )
    add_tokenizer(corpora)
    corpora.add_argument("--max-seq-len", type=whole, metavar="N", default=absent, help="context, in tokens")
    bench = commands.add_parser("bench", parents=[as_json], help="measure how fast this machine is")
    bench.add_argument(
        "--seconds", type=whole, metavar="N", default=absent, help="about so long (default: 10)"
    )
    tokenize = commands.add_parser("tokenize", parents=[place, as_json], help="show how a text splits")
    tokenize.add_argument("--load", metavar="FILE|NAME", default=absent, help="use the tokenizer of a model")
    tokenize.add_argument(
        "--corpus", metavar="NAME|PATH", default=absent, help="train a tokenizer on it (default: basics)"
    )
    add_tokenizer(tokenize)
    tokenize.add_argument("text", nargs="*", metavar="TEXT", help="without one: standard input")
    inspect = commands.add_parser("inspect", parents=[source, as_json, decoding], help="look inside a model")
    inspect.add_argument("prompt", nargs="?", default=absent, metavar="PROMPT", help="what it is asked")
    inspect.add_argument(
        "--answer", metavar="TEXT", default=absent, help="look at this answer (default: the model's own)"
    )
    add_views(inspect)
    compare = commands.add_parser("compare", parents=[place, as_json], help="tell two models apart")
    for number in ("first", "second"):
        compare.add_argument(number, metavar="FILE|NAME")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code: 0 done, 1 failed, 2 wrong use or input, 130 interrupted."""
    _prepare_streams()
    try:
        try:
            words = sys.argv[1:] if argv is None else argv
            parser = build_parser(words)
            args = parser.parse_args(words)
            _refuse_flags_of_others(args)
            if "config" in args:
                _add_file(args, parser)
            return _run(args)
        finally:
            sys.stdout.flush()  # here, so that a full disk or a reader who left is seen below
    except TinychatError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader, `head` perhaps, has seen enough
        _write_nowhere()
        return 1
    except MemoryError:
        return _fail("there is not enough memory; use a smaller model, corpus or number", 1)
    except OSError as error:
        _write_nowhere()
        return _fail(f"{error.filename or 'system'}: {error.strerror or error}", 1)


def _prepare_streams() -> None:
    """A stream that was closed reads and writes nothing; a character that a terminal lacks is no error."""
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _write_nowhere() -> None:
    """Keep Python from failing once more when it flushes standard output at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse_flags_of_others(args: argparse.Namespace) -> None:
    """A flag before a command that does not have it would be taken without effect."""
    if args.command is None:
        return
    own = _FLAGS[args.command] | {"command"}
    for name in vars(args):
        if name not in own:
            raise UsageError(f"'{args.command}' does not take --{name.replace('_', '-')}; leave it out")


def _add_file(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Take from the TOML file what the command line does not say."""
    from tinychat.config_file import read_flags
    from tinychat.paths import user_path

    known = _FLAGS["train"] if args.command == "train" else RUN | {"data_dir"}
    flags = read_flags(user_path(args.config), known - {"config"})
    _Parser.place = f"{args.config}: "
    try:
        from_file = parser.parse_args([args.command, *flags] if args.command else flags)
    finally:
        _Parser.place = ""
    vars(args).update(changes_over(vars(args), vars(from_file)))


def _fail(message: str, code: int) -> int:
    print(f"tinychat: {' '.join(message.split())}", file=sys.stderr)
    return code


def _run(args: argparse.Namespace) -> int:
    if "version" in args:
        from importlib.metadata import version

        print(f"tinychat {version('tinychat')}")
        return 0
    module = import_module(f"tinychat.commands.{_MODULES.get(args.command, args.command)}")
    code: int = module.run(args)
    return code
