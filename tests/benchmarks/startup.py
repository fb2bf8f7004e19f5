"""How long until `tinychat --help` has ended, and the app shows its first frame, beside Python's own start.

python tests/benchmarks/startup.py [--pairs N]

As from the second start on: the first one compiles the modules, and is not counted.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import pairs, print_table, seconds, spread
from terminal import Terminal

FIRST_FRAME = "Pre-training"
"""A text of it."""


def command(*arguments: str) -> float:
    return seconds(
        lambda: subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    )


def first_frame() -> float:
    with TemporaryDirectory() as folder, Terminal([], Path(folder)) as terminal:
        return terminal.wait_for(FIRST_FRAME) - terminal.started


def main() -> None:
    parser = argparse.ArgumentParser(description="How long the program takes to start.")
    parser.add_argument("--pairs", type=int, default=10)
    n_pairs = parser.parse_args().pairs
    sides = {
        "`python -c pass`": lambda: command("-c", "pass"),
        "`tinychat --help`": lambda: command("-m", "tinychat", "--help"),
        "`tinychat`, first frame": first_frame,
    }
    pairs(sides, 1)
    found = pairs(sides, n_pairs)
    rows = [[name, spread(times, 3)] for name, times in found.items()]
    print_table(f"How long does it take to start? ({n_pairs} rounds)", ["what", "seconds"], rows)


if __name__ == "__main__":
    main()
