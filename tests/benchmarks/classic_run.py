"""The classic run on RustGPT's files, 7,800 updates of one example, against PyTorch's best mode.

    python tests/benchmarks/classic_run.py [--epochs N] [--pairs N]

Of the modes of PyTorch, eager with fused Adam on one thread is the fastest at this size: two threads wait for
each other, and compiling takes longer than it spares. With fewer epochs than 100, the seconds are stretched.
"""

import argparse

from recipes import classic
from runs import NO_SAMPLES, Comparison

EPOCHS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description="The classic run against PyTorch.")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of each phase")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="of PyTorch, a side each")
    args = parser.parse_args()
    question = "How long does the classic run take?"
    if args.epochs != EPOCHS:
        question += f" {args.epochs} + {args.epochs} epochs, stretched to {EPOCHS} + {EPOCHS}"
    comparison = Comparison(lambda: classic(epochs=args.epochs, sample_every=NO_SAMPLES), tuple(args.threads))
    comparison.report(question, args.pairs, EPOCHS / args.epochs)


if __name__ == "__main__":
    main()
