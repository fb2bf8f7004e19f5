"""From a key to the screen that it changes: while the model trains, and while nothing is computed.

    python tests/benchmarks/latency.py [--keys N]

The space bar pauses a training, and lets it go on: by turns one key finds the program at work, and the next
finds it idle. The time ends when a terminal emulator has drawn the new state.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from measure import print_table
from terminal import Terminal

FIRST_NEWS, PAUSED = "accuracy", "paused:"
"""Texts of the screen: a training that has begun, and one that is paused."""
BETWEEN_S = 0.5
"""Seconds between two keys."""


def latencies(terminal: Terminal, n: int) -> tuple[list[float], list[float]]:
    """Milliseconds from keys to their screens: at work, and idle."""
    at_work, idle = [], []
    for _ in range(n):
        for is_paused, found in ((True, at_work), (False, idle)):
            start = perf_counter()
            terminal.send(" ")
            found.append(1000 * (terminal.wait_for(PAUSED, is_there=is_paused, seconds=20) - start))
            terminal.read_for(BETWEEN_S)
    return at_work, idle


def main() -> None:
    parser = argparse.ArgumentParser(description="From a key to the screen that it changes.")
    parser.add_argument("--keys", type=int, default=60)
    args = parser.parse_args()
    with TemporaryDirectory() as folder, Terminal(["--epochs", "100000"], Path(folder)) as terminal:
        terminal.wait_for(FIRST_NEWS)
        terminal.read_for(1)
        at_work, idle = latencies(terminal, args.keys)
    rows = [
        [name, f"{np.median(found):.1f}", f"{np.percentile(found, 95):.1f}", f"{max(found):.1f}"]
        for name, found in (("training", at_work), ("idle", idle))
    ]
    question = f"How long from a key to the changed screen, in ms? ({args.keys} keys each)"
    print_table(question, ["while", "median", "95th percentile", "longest"], rows)


if __name__ == "__main__":
    main()
