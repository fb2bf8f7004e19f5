"""The app against `tinychat train` on the same short run: what the screen costs.

    python tests/benchmarks/app_against_train.py [--epochs N] [--pairs N]

Both from the first news of the training to its end, saving included, start-up left out.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from measure import pairs, print_table, ratios, spread
from recipes import DATA
from terminal import Terminal

BEGUN, DONE = "Instruction tuning", "Ask something"
"""Texts of the app: its first frame, and the chat that follows upon the training."""


def app(flags: list[str]) -> float:
    with TemporaryDirectory() as folder, Terminal(flags, Path(folder)) as terminal:
        start = terminal.wait_for(BEGUN)
        return terminal.wait_for(DONE) - start


def train(flags: list[str]) -> float:
    with TemporaryDirectory() as folder:
        arguments = ["-m", "tinychat", "train", *flags, "--out", str(Path(folder) / "m.npz"), "--json"]
        with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            start = end = 0.0
            for line in program.stdout:
                start = start or perf_counter()
                if json.loads(line)["event"] == "finished":
                    end = perf_counter()
    return end - start


def main() -> None:
    parser = argparse.ArgumentParser(description="The app against tinychat train.")
    parser.add_argument("--epochs", type=int, default=25, help="of each phase")
    parser.add_argument("--pairs", type=int, default=3)
    args = parser.parse_args()
    flags = ["--corpus", str(DATA / "rustgpt"), "--epochs", str(args.epochs)]
    found = pairs({"the app": lambda: app(flags), "`tinychat train`": lambda: train(flags)}, args.pairs)
    rows = [[name, spread(times)] for name, times in found.items()]
    rows.append(["ratio", spread(ratios(found, "the app", "`tinychat train`"))])
    what = f"classic, {args.epochs} + {args.epochs} epochs, {args.pairs} pairs"
    print_table(f"What does the screen cost? ({what})", ["program", "seconds"], rows)


if __name__ == "__main__":
    main()
