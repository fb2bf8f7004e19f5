"""nanoGPT's recipe for a processor on tinyshakespeare, against PyTorch.

    python tests/benchmarks/nanogpt_run.py [--updates N] [--workers N] [--pairs N]

The loss is that on the last tenth of the text, which both sides measure after every quarter of the updates.
With fewer updates than 2,000, the seconds are stretched; the loss is what so few updates reach.
"""

import argparse

from recipes import nanogpt
from runs import NO_SAMPLES, Comparison

UPDATES, BATCH = 2000, 12


def main() -> None:
    parser = argparse.ArgumentParser(description="nanoGPT's recipe for a processor against PyTorch.")
    parser.add_argument("--updates", type=int, default=UPDATES)
    parser.add_argument("--workers", type=int, default=2, help="of tinychat")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[2], help="of PyTorch, a side each")
    args = parser.parse_args()
    changes = {
        "epochs": 4,
        "windows": args.updates * BATCH // 4,
        "workers": args.workers,
        "sample_every": NO_SAMPLES,
    }
    question = f"How long does nanoGPT's recipe take? tinychat with {args.workers} workers"
    if args.updates != UPDATES:
        question += f"; {args.updates} updates, stretched to {UPDATES}"
    Comparison(lambda: nanogpt(**changes), tuple(args.threads)).report(
        question, args.pairs, UPDATES / args.updates
    )


if __name__ == "__main__":
    main()
