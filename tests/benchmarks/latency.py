"""From a key to the screen that it changes: while the model trains or answers, and while nothing is computed.

    python tests/benchmarks/latency.py [--keys N]

The space bar pauses a training, and lets it go on: by turns one key finds the program at work, and the next
finds it idle. While an answer streams, letters are typed into the line below it. The time ends when a
terminal emulator has drawn the new state.
"""

import argparse
import subprocess
import sys
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
CHAT, WRITING, LETTER = "Ask something", "▍", "#"
"""Texts of the chat: its line to type in, the end of an answer under way, and what no model here writes."""
ALL_GONE = "\x15"
"""Ctrl+U empties the line."""


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


def latencies_while_it_answers(terminal: Terminal, n: int) -> list[float]:
    """Milliseconds from letters to the line that shows them."""
    found: list[float] = []
    terminal.wait_for(CHAT)
    while len(found) < n:
        terminal.send("How do mountains form?\r")
        terminal.wait_for(WRITING)
        for n_typed in range(1, 1000):
            terminal.read_for(BETWEEN_S / 4)
            start = perf_counter()
            terminal.send(LETTER)
            end = terminal.wait_for(n_typed * LETTER, seconds=20)
            if WRITING not in terminal.text:
                break
            found.append(1000 * (end - start))
        terminal.send(ALL_GONE)
        terminal.wait_for(LETTER, is_there=False)
    return found


def talkative_model(folder: Path) -> Path:
    """It has learnt next to nothing, and so it does not know where an answer ends."""
    path = folder / "talkative.npz"
    arguments = ["-m", "tinychat", "train", "--epochs", "1", "--out", str(path)]
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="From a key to the screen that it changes.")
    parser.add_argument("--keys", type=int, default=60)
    args = parser.parse_args()
    with TemporaryDirectory() as folder, Terminal(["--epochs", "100000"], Path(folder)) as terminal:
        terminal.wait_for(FIRST_NEWS)
        terminal.read_for(1)
        at_work, idle = latencies(terminal, args.keys)
    with TemporaryDirectory() as folder:
        model = talkative_model(Path(folder))
        with Terminal(["--load", str(model)], Path(folder)) as terminal:
            answering = latencies_while_it_answers(terminal, args.keys)
    rows = [
        [name, f"{np.median(found):.1f}", f"{np.percentile(found, 95):.1f}", f"{max(found):.1f}"]
        for name, found in (("training", at_work), ("idle", idle), ("answering", answering))
    ]
    question = f"How long from a key to the changed screen, in ms? ({args.keys} keys each)"
    print_table(question, ["while", "median", "95th percentile", "longest"], rows)


if __name__ == "__main__":
    main()
