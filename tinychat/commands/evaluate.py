"""`tinychat eval`: figures of a model on a corpus."""

import argparse
import json
import sys

from tinychat.commands.recipe import library
from tinychat.corpus import load_corpus
from tinychat.weights import load


def run(args: argparse.Namespace) -> int:
    corpus = load_corpus(args.corpus)
    model = load(library(args).find(args.load))
    result = model.evaluate(corpus)
    for warning in corpus.warnings:
        print(f"tinychat: {warning}", file=sys.stderr)
    if result.n_cut:
        print(
            f"tinychat: {result.n_cut} rows are longer than the model's context and were cut there",
            file=sys.stderr,
        )
    if "json" in args:
        keys = ("loss", "perplexity", "accuracy", "exact", "dialogues")
        print(json.dumps({key: getattr(result, key) for key in keys}))
        return 0
    print(f"loss        {result.loss:.4f} nats a token")
    print(f"perplexity  {result.perplexity:.3f}")
    print(f"accuracy    {result.accuracy:.1%} of next tokens")
    print(f"exact       {result.exact} of {result.dialogues} dialogues word for word")
    return 0
