"""The app against `tinychat train` on the classic run on RustGPT's files: what the screen costs.

    python tests/benchmarks/app_against_train.py [--epochs N] [--pairs N]

Both as one waits for them: from the command to the end of the training, starting and saving included, and
in the app until one can ask something. That takes most of a second more, whatever the run: with fewer epochs
the ratio is the worse for it.
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

DONE = "sk something"
"""Of the chat that follows upon the training: its line to type in, less the letter under the cursor."""


def app(flags: list[str]) -> float:
    with TemporaryDirectory() as folder, Terminal(flags, Path(folder)) as terminal:
        return terminal.wait_for_written(DONE) - terminal.started


def train(flags: list[str]) -> float:
    with TemporaryDirectory() as folder:
        arguments = ["-m", "tinychat", "train", *flags, "--out", str(Path(folder) / "m.npz"), "--json"]
        start = end = perf_counter()
        with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            for line in program.stdout:
                if json.loads(line)["event"] == "finished":
                    end = perf_counter()
    return end - start


def main() -> None:
    parser = argparse.ArgumentParser(description="The app against tinychat train.")
    parser.add_argument("--epochs", type=int, default=100, help="of each phase")
    parser.add_argument("--pairs", type=int, default=3)
    args = parser.parse_args()
    flags = ["--corpus", str(DATA / "rustgpt"), "--epochs", str(args.epochs)]
    app(["--epochs", "1"])  # compiles the modules
    found = pairs({"the app": lambda: app(flags), "`tinychat train`": lambda: train(flags)}, args.pairs)
    rows = [[name, spread(times)] for name, times in found.items()]
    rows.append(["ratio", spread(ratios(found, "the app", "`tinychat train`"))])
    what = f"classic, {args.epochs} + {args.epochs} epochs, {args.pairs} pairs"
    print_table(f"What does the screen cost? ({what})", ["program", "seconds"], rows)


if __name__ == "__main__":
    main()
