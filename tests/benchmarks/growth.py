"""How the time of training grows with the corpus, the context and the width, beside what theory says.

    python tests/benchmarks/growth.py [--seconds N]

Theory is the number of operations of all matrix products: linear in the corpus, quadratic in the width and,
in attention, in the context. Each row is compared with the one above it; 1.2 and more is a surprise.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from time import perf_counter

import numpy as np
from measure import print_table, seconds
from recipes import classic
from threadpoolctl import threadpool_limits

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.training.bench import flops_of, training_products
from tinychat.training.optimizer import clip_by_global_norm_, make_optimizer
from tinychat.training.run import TrainingRun

VOCABULARY = 400
CORPUS = (1, 4, 16)
CONTEXT = (16, 32, 64, 128, 256, 512)
WIDTH = (64, 128, 256, 512)
SURPRISE = 1.2

Point = tuple[str, float, float]
"""Size, seconds, operations."""


def epoch(times: int) -> Point:
    """An epoch of facts and one of dialogues, on RustGPT's files so many times over."""
    corpus, recipe = classic(epochs=1)
    corpus = replace(corpus, facts=corpus.facts * times, dialogues=corpus.dialogues * times)
    run = TrainingRun.start(corpus, recipe)
    return f"corpus x{times}", seconds(lambda: list(run.run())), times


def update(config: ModelConfig, length: int, size: str, budget: float) -> Point:
    """Median of the updates with one row that fit into `budget` seconds, at least five."""
    transformer = Transformer(config)
    rng = np.random.default_rng(0)
    transformer.parameters.initialise(rng)
    train = classic()[1].pretrain
    optimizer = make_optimizer(train.optimizer, transformer.parameters)
    ids = rng.integers(VOCABULARY, size=(1, length + 1))

    def once() -> None:
        transformer.loss_and_gradients(ids[:, :-1], ids[:, 1:])
        clip_by_global_norm_(transformer.parameters.grads, train.clip_norm)
        optimizer.step(train, train.lr)

    once()
    found: list[float] = []
    end = perf_counter() + budget
    while len(found) < 5 or perf_counter() < end:
        found.append(seconds(once))
    return size, median(found), flops_of(training_products(config, 1, length, length))


def print_growth(question: str, points: Sequence[Point]) -> None:
    rows = []
    before: Point | None = None
    for point in points:
        grown = ["", "", "", ""]
        if before is not None:
            time, theory = point[1] / before[1], point[2] / before[2]
            excess = time / theory
            grown = [f"{time:.2f}", f"{theory:.2f}", f"{excess:.2f}", "yes" if excess > SURPRISE else "no"]
        rows.append([point[0], f"{1000 * point[1]:.2f}", *grown])
        before = point
    print_table(
        question, ["size", "ms", "times the row above", "by theory", "time to theory", "surprise"], rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="How the time of training grows.")
    parser.add_argument("--seconds", type=float, default=2.0, help="a size of context or width")
    budget = parser.parse_args().seconds
    model = classic()[1].model_config(VOCABULARY)
    with threadpool_limits(1, "blas"):
        epoch(1)
        print_growth("The corpus: an epoch of each phase", [epoch(times) for times in CORPUS])
        contexts = [update(replace(model, max_seq_len=T), T, f"context {T}", budget) for T in CONTEXT]
        print_growth("The context: an update with one row of its length", contexts)
        widths = [
            update(replace(model, d_model=D, d_ff=2 * D, head_dim=D), 64, f"width {D}", budget) for D in WIDTH
        ]
        print_growth("The width: an update with one row of 64 tokens", widths)


if __name__ == "__main__":
    main()
