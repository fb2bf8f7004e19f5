"""Memory of a whole process that trains the classic model: ours and the PyTorch twin's.

    python tests/benchmarks/memory.py [--epochs N]

The peak is the largest resident size (VmHWM in Linux's /proc), libraries and all; growth is by how much the
peak at the last epoch is above that at the second.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import print_table
from recipes import DATA, classic

EARLY = 2
"""The epoch from which on nothing should grow."""


def whole_peak_mb(pid: int) -> float:
    """Of a process and those that it has started; what they share counts for each."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return sum(map(peak_mb, (pid, *map(int, children))))


def peak_mb(pid: int) -> float:
    """Largest resident size so far."""
    with suppress(FileNotFoundError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0  # it has ended


def watch(arguments: Sequence[str], epochs: int) -> tuple[float, float]:
    """Peak at epoch EARLY and at the end, in MB, of a program that prints its epochs as JSON."""
    early = late = 0.0
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            record = json.loads(line)
            late = max(late, whole_peak_mb(program.pid))
            if record.get("phase") == "tune" and record.get("epoch") == min(EARLY, epochs):
                early = early or late
    return early, late


def train_twin(epochs: int) -> None:
    """In a process of its own: as `tinychat train --json`, with the twin."""
    from batches import updates
    from learner import Learner, as_tensors
    from measure import torch_threads
    from twin import Twin

    from tinychat.training.run import TrainingRun

    run = TrainingRun.start(*classic(epochs=epochs))
    configs = run.model.card.configs
    learner = Learner(Twin(run.model.transformer), next(iter(configs.values())))
    with torch_threads(1):
        for phase in configs:
            n = len(run._sources[phase].clean)
            for number, update in enumerate(updates(run, phase), start=1):
                learner.step(as_tensors([update])[0])
                if number % n == 0:
                    record = {"event": "epoch_done", "phase": phase, "epoch": number // n}
                    print(json.dumps(record), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Memory of a whole process that trains.")
    parser.add_argument("--epochs", type=int, default=100, help="of each phase")
    parser.add_argument("--twin", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.twin:
        train_twin(args.epochs)
        return
    flags = ["--corpus", str(DATA / "rustgpt"), "--epochs", str(args.epochs)]
    with TemporaryDirectory() as folder:
        out = ["--out", str(Path(folder) / "m.npz"), "--json"]
        ours = watch(["-m", "tinychat", "train", *flags, *out], args.epochs)
    theirs = watch([__file__, "--twin", "--epochs", str(args.epochs)], args.epochs)
    rows = [
        [name, f"{late:.0f}", f"{late - early:+.1f}"]
        for name, (early, late) in (("tinychat train", ours), ("PyTorch twin", theirs))
    ]
    question = f"How much memory does the classic run take? ({args.epochs} + {args.epochs} epochs)"
    print_table(question, ["program", "peak, MB", f"growth from epoch {EARLY} of tuning, MB"], rows)


if __name__ == "__main__":
    main()
