"""Writing token by token: with our cache, by reading all anew for every token, and PyTorch in both ways.

    python tests/benchmarks/decoding.py [--pairs N] [--tokens N]

The classic model with new weights goes on from a prompt of five tokens; all four must write the same.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from statistics import median
from time import perf_counter

import numpy as np
import torch
from measure import pairs, print_table, ratios, spread, torch_threads
from recipes import classic
from threadpoolctl import threadpool_limits
from twin import Cache, Twin

from tinychat.core.model import Transformer
from tinychat.generation.greedy import greedy
from tinychat.training.run import TrainingRun

PROMPT = [2, 3, 5, 7, 11]
NO_END = -1
"""An id that no token has."""
BINS = 4
"""Parts of the context by which it is told whether a token takes the same time everywhere."""
OURS, ANEW = "tinychat, cache", "tinychat, all anew"
THEIRS, THEIRS_ANEW = "PyTorch, cache", "PyTorch, all anew"


def anew(transformer: Transformer) -> Iterator[int]:
    """As RustGPT does it."""
    row = list(PROMPT)
    while True:
        row.append(int(transformer.forward(np.array([row]))[0, -1].argmax()))
        yield row[-1]


def cached_by_torch(twin: Twin) -> Iterator[int]:
    cache = Cache(twin.config)
    logits = twin(torch.tensor([PROMPT]), cache)
    while True:
        token = logits[0, -1].argmax()
        yield token.item()
        logits = twin(token.view(1, 1), cache)


def anew_by_torch(twin: Twin) -> Iterator[int]:
    row = torch.tensor([PROMPT])
    while True:
        token = twin(row)[0, -1].argmax()
        yield token.item()
        row = torch.cat([row, token.view(1, 1)], 1)


def times(text: Iterator[int], n: int) -> tuple[list[int], list[float]]:
    """The first n tokens, and the microseconds that each took."""
    tokens, took = [], []
    before = perf_counter()
    for token in islice(text, n):
        now = perf_counter()
        tokens.append(token)
        took.append(1e6 * (now - before))
        before = now
    return tokens, took


def main() -> None:
    parser = argparse.ArgumentParser(description="Writing token by token.")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=60)
    args = parser.parse_args()
    transformer = TrainingRun.start(*classic()).model.transformer
    twin = Twin(transformer).eval()
    texts: dict[str, Callable[[], Iterator[int]]] = {
        OURS: lambda: greedy(transformer, PROMPT, NO_END),
        ANEW: lambda: anew(transformer),
        THEIRS: lambda: cached_by_torch(twin),
        THEIRS_ANEW: lambda: anew_by_torch(twin),
    }

    def side(name: str) -> float:
        return sum(times(texts[name](), args.tokens)[1]) / 1000

    with threadpool_limits(1), torch_threads(1), torch.inference_mode():
        written = [times(text(), args.tokens)[0] for text in texts.values()]
        assert all(tokens == written[0] for tokens in written), "they do not write the same"
        found = pairs({name: partial(side, name) for name in texts}, args.pairs)
        room = transformer.config.max_seq_len - len(PROMPT)
        by_place = {
            name: np.median([times(text(), room)[1][1:] for _ in range(args.pairs)], axis=0)
            for name, text in texts.items()
        }
    nth = {name: took[args.tokens - 2] for name, took in by_place.items()}  # the first token is not in it
    rows = [
        [
            name,
            spread(found[name]),
            f"{1000 * args.tokens / median(found[name]):,.0f}",
            spread(ratios(found, name, OURS)) if name != OURS else "",
            f"{nth[name]:.0f}",
            f"{nth[name] / nth[OURS]:.1f}" if name != OURS else "",
            *(f"{part.mean():.0f}" for part in np.array_split(by_place[name], BINS)),
        ]
        for name in texts
    ]
    columns = ["program", f"ms for {args.tokens} tokens", "tokens/s", "times our cache"]
    columns += [f"µs for token {args.tokens}", "times our cache"]
    columns += [f"µs a token, part {part} of {BINS}" for part in range(1, BINS + 1)]
    print_table(f"How fast is a text written? ({args.pairs} rounds, 1 thread each)", columns, rows)


if __name__ == "__main__":
    main()
