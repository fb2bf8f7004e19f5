"""`tinychat corpora`: what is bundled, and what is in one corpus."""

import argparse
import json
from dataclasses import asdict

from tinychat.corpus import bundled_corpora, load_corpus
from tinychat.errors import UsageError
from tinychat.presets import preset
from tinychat.training.inspect_corpus import Inspection, inspect_corpus
from tinychat.wording import counted

_RECIPE = ("tokenizer", "vocab_size", "max_seq_len")
"""What of a recipe a corpus is counted by."""
_SHOWN = 5
"""Texts of a list."""
_WIDTH = 40
"""Characters of the longest bar."""


def run(args: argparse.Namespace) -> int:
    if "name" in args:
        return _inspect(args)
    for flag in ("preset", *_RECIPE):
        if flag in args:
            told = flag.replace("_", "-")
            raise UsageError(
                f"--{told} is for counting one corpus; name it: tinychat corpora NAME --{told} …"
            )
    for name, folder in bundled_corpora().items():
        corpus = load_corpus(name)
        n_facts, n_dialogues = len(corpus.facts), len(corpus.dialogues)
        if "json" in args:
            row = {"name": name, "facts": n_facts, "dialogues": n_dialogues, "path": str(folder)}
            print(json.dumps(row))
        else:
            print(f"{name}: {counted(n_facts, 'fact')}, {counted(n_dialogues, 'dialogue')}, in {folder}")
    return 0


def _inspect(args: argparse.Namespace) -> int:
    given = {name: getattr(args, name) for name in _RECIPE if name in args}
    recipe = preset(getattr(args, "preset", "classic")).changed(given)
    context = recipe.model_config(2).max_seq_len
    found = inspect_corpus(load_corpus(args.name), recipe.tokenizer, recipe.vocab_size, context)
    if "json" in args:
        print(json.dumps(asdict(found)))
    else:
        for line in _lines(found):
            print(line)
    return 0


def _lines(found: Inspection) -> list[str]:
    total = sum(count for _, _, count in found.lengths)
    answers = counted(found.answers, "different answer")
    lines = [
        f"facts       {found.facts:,}",
        f"dialogues   {found.dialogues:,} with {counted(found.turns, 'turn')} and {answers}",
        f"don't-know  {counted(found.declines, 'dialogue')}",
        f"held out    {counted(found.held_out, 'dialogue')}, {found.held_out_unknown:,} with an unknown word",
        f"vocabulary  {counted(found.vocab_size, 'token')} ({found.tokenizer}), {found.once:,} seen once",
        f"tokens      {found.tokens:,} in {counted(total, 'row')}",
        "",
        f"rows by length in tokens (context {found.context})",
    ]
    highest = max((count for _, _, count in found.lengths), default=1)
    for first, last, count in found.lengths:
        if not count:
            continue  # a single long row would leave a screen of nothing before it
        bar = "█" * round(_WIDTH * count / highest) or "▏"
        mark = "  ← beyond the context" if first > found.context + 1 else ""
        lines.append(f"{first:>5}-{last:<5} {bar} {count}{mark}")
    for title, texts in (
        ("cut at the context", found.cut),
        ("facts that stand twice", found.duplicate_facts),
        ("questions that stand twice with the same answer", found.duplicate_questions),
        ("questions with several answers", found.contradictions),
    ):
        lines += ["", f"{title}: {len(texts) or 'none'}", *(f"  {text}" for text in texts[:_SHOWN])]
        if len(texts) > _SHOWN:
            lines.append(f"  … and {len(texts) - _SHOWN} more (all with --json)")
    return lines
