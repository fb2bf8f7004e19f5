"""An epoch of facts and one of dialogues of `modern` on the corpus `world`, against PyTorch.

    python tests/benchmarks/modern_run.py [--workers N] [--pairs N]

Both sides learn from the same batches; PyTorch on two threads and on one, of which the faster counts.
"""

import argparse

from recipes import modern
from runs import NO_SAMPLES, Comparison


def main() -> None:
    parser = argparse.ArgumentParser(description="The preset modern against PyTorch.")
    parser.add_argument("--workers", type=int, default=2, help="of tinychat")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1], help="of PyTorch, a side each")
    args = parser.parse_args()
    changes = {"epochs": 1, "workers": args.workers, "sample_every": NO_SAMPLES}
    question = f"How long does an epoch of modern take? tinychat with {args.workers} workers"
    Comparison(lambda: modern(**changes), tuple(args.threads)).report(question, args.pairs)


if __name__ == "__main__":
    main()
