"""`tinychat eval`: figures of a model, or of the look-up that it has to beat, on a corpus."""

import argparse
import json
import sys
from dataclasses import asdict

from tinychat.commands.recipe import library
from tinychat.corpus import Corpus, load_corpus
from tinychat.errors import UsageError
from tinychat.training.held_out import HeldOut, measure_held_out
from tinychat.training.lookup import Lookup
from tinychat.weights import load
from tinychat.wording import counted


def run(args: argparse.Namespace) -> int:
    if ("load" in args) == ("lookup" in args):
        raise UsageError("say what to measure: a model with --load FILE|NAME, or the look-up with --lookup")
    corpus = load_corpus(args.corpus)
    for warning in corpus.warnings:
        _warn(warning)
    if "lookup" in args:
        return _measure_lookup(corpus, "json" in args)
    result = load(library(args).find(args.load)).evaluate(corpus)
    if result.n_cut:
        _warn(f"{counted(result.n_cut, 'row')} had to be cut at the model's context")
    if "json" in args:
        figures = asdict(result)
        del figures["n_cut"]
        print(json.dumps({key: value for key, value in figures.items() if value is not None}))
        return 0
    print(f"loss        {result.loss:.4f} nats a token")
    print(f"perplexity  {result.perplexity:.3f}")
    print(f"accuracy    {result.accuracy:.1%} of next tokens")
    print(f"exact       {result.exact} of {counted(result.dialogues, 'dialogue')} word for word")
    if result.held_out:
        _print_held_out(result.held_out)
    return 0


def _measure_lookup(corpus: Corpus, as_json: bool) -> int:
    if not corpus.dialogues or not corpus.held_out:
        raise UsageError(
            f"the corpus {corpus.name!r} has no dialogues to look up, or no heldout.* to measure on"
        )
    found = measure_held_out(Lookup(corpus).answer, corpus)
    if as_json:
        print(json.dumps({"held_out": asdict(found)}))
    else:
        _print_held_out(found)
    return 0


def _print_held_out(found: HeldOut) -> None:
    def line(name: str, part: int, whole: int, what: str) -> None:
        print(f"{name:<12}{part} of {whole} ({part / max(whole, 1):.1%}) {what}")

    print("held out, never learnt:")
    line("right", found.right, found.known, "known questions word for word")
    line("wrong", found.wrong, found.known, "known questions by another answer")
    line("false", found.false_declines, found.known, "known questions by a don't-know")
    line("misspelt", found.misspelt_right, found.known, "known questions right with one letter changed")
    line("honest", found.honest_declines, found.unknown, "unknown questions by a don't-know")


def _warn(text: str) -> None:
    print(f"tinychat: {text}", file=sys.stderr)
