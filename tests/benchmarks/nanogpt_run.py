"""nanoGPT's recipe for a processor on tinyshakespeare, against PyTorch.

    python tests/benchmarks/nanogpt_run.py [--quarters N] [--workers N] [--pairs N]

The loss is that on the last tenth of the text, which both sides measure after every quarter of the 2,000
updates. With fewer quarters than four, the seconds are stretched; the loss is what so few updates reach.
"""

import argparse

from recipes import nanogpt
from runs import NO_SAMPLES, Comparison

QUARTERS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description="nanoGPT's recipe for a processor against PyTorch.")
    parser.add_argument("--quarters", type=int, default=QUARTERS, help="of 500 updates each")
    parser.add_argument("--workers", type=int, default=2, help="of tinychat")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[2], help="of PyTorch, a side each")
    args = parser.parse_args()
    changes = {"epochs": args.quarters, "workers": args.workers, "sample_every": NO_SAMPLES}
    question = f"How long does nanoGPT's recipe take? tinychat with {args.workers} workers"
    if args.quarters != QUARTERS:
        question += f"; {args.quarters} of {QUARTERS} quarters, stretched to all"
    Comparison(lambda: nanogpt(**changes), tuple(args.threads)).report(
        question, args.pairs, QUARTERS / args.quarters
    )


if __name__ == "__main__":
    main()
