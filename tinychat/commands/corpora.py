"""`tinychat corpora`: what is bundled."""

import argparse
import json

from tinychat.corpus import bundled_corpora, load_corpus


def run(args: argparse.Namespace) -> int:
    for name, folder in bundled_corpora().items():
        corpus = load_corpus(name)
        n_facts, n_dialogues = len(corpus.facts), len(corpus.dialogues)
        if "json" in args:
            row = {"name": name, "facts": n_facts, "dialogues": n_dialogues, "path": str(folder)}
            print(json.dumps(row))
        else:
            print(f"{name}: {n_facts} facts, {n_dialogues} dialogues, in {folder}")
    return 0
