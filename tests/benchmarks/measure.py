"""What all benchmarks share: pairs in one order, medians and ratios, a table, and under which conditions."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from os import cpu_count, getloadavg
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

Side = Callable[[], float]
"""Does its work once and returns what is compared: seconds, as a rule."""


def pairs(sides: Mapping[str, Side], n: int) -> dict[str, list[float]]:
    """Every side once, then every side once more, always in the same order: what drifts, drifts for all."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(n):
        for name, side in sides.items():
            found[name].append(side())
    return found


def ratios(found: Mapping[str, Sequence[float]], ours: str, theirs: str) -> list[float]:
    """Ours to theirs, pair by pair."""
    return [a / b for a, b in zip(found[ours], found[theirs], strict=True)]


def best(found: Mapping[str, Sequence[float]], names: Sequence[str]) -> str:
    """Of several sides the one with the lowest median."""
    return min(names, key=lambda name: median(found[name]))


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, and in brackets the lowest and the highest."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def print_table(question: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """As Markdown, so that it can go into a README as it is."""
    print(f"\n{question}\n\n{conditions()}\n")
    print(f"| {' | '.join(columns)} |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    print(flush=True)


def conditions() -> str:
    """Date, machine, versions, and how much else was running."""
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    try:
        from torch import __version__ as torch_version

        versions += f", PyTorch {torch_version}"
    except ImportError:
        pass
    load = " ".join(f"{value:.1f}" for value in getloadavg())
    return f"{datetime.now(UTC):%Y-%m-%d}, {processor()}, {cpu_count()} cores; {versions}; load {load}."


def processor() -> str:
    """The model's name and the widest vectors that it has."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    found = {key.strip(): value.strip() for key, value in lines.items()}
    flags = found.get("flags", "").split()
    widest = next((name for name in ("avx512f", "avx2", "avx") if name in flags), "no AVX")
    return f"{found.get('model name', platform.machine())} ({widest})"


@contextmanager
def torch_threads(n: int) -> Iterator[None]:
    """Within the block PyTorch works on `n` threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        with threadpool_limits(n):
            yield
    finally:
        torch.set_num_threads(before)
