"""`tinychat bench`: how fast this machine trains and decodes, beside what it could do at best."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from tinychat.corpus import load_corpus
from tinychat.presets import PRESETS
from tinychat.training.bench import DecodingSpeed, TrainingSpeed, decoding_speed, training_speed

SECONDS = 10
_PARTS = 2.5
"""A preset trains for one part of the time, writes for another, and its limits take a quarter each."""


def run(args: argparse.Namespace) -> int:
    corpus = load_corpus()
    each = getattr(args, "seconds", SECONDS) / _PARTS / len(PRESETS)
    training: list[TrainingSpeed] = []
    decoding: list[DecodingSpeed] = []
    for recipe in PRESETS.values():
        training.append(training_speed(recipe, corpus, each))
        decoding.append(decoding_speed(recipe, corpus, each))
    if "json" in args:
        speeds: dict[str, list[Any]] = {"training": training, "decoding": decoding}
        print(json.dumps({kind: list(map(_record, found)) for kind, found in speeds.items()}))
        return 0
    print(f"training on the corpus {corpus.name}, one BLAS thread a process")
    for trained in training:
        print(f"  {trained.preset:<10}{_training_line(trained)}")
    print("decoding on one BLAS thread")
    for decoded in decoding:
        print(f"  {decoded.preset:<10}{_decoding_line(decoded)}")
    return 0


def _record(speed: TrainingSpeed | DecodingSpeed) -> dict[str, Any]:
    return {**asdict(speed), "share": speed.share}


def _training_line(speed: TrainingSpeed) -> str:
    processes = f"{speed.workers} process{'es' * (speed.workers > 1)}"
    return (
        f"{speed.updates_per_s:,.0f} updates/s, {speed.tokens_per_s:,.0f} tokens/s on {processes}; "
        f"{speed.gflops:.1f} GFLOP/s, {speed.share:.0%} of {speed.product_gflops:.1f} "
        "in matrix products of these shapes alone"
    )


def _decoding_line(speed: DecodingSpeed) -> str:
    return (
        f"{speed.tokens_per_s:,.0f} tokens/s; reads {speed.gb_per_s:.2f} GB/s of weights, "
        f"{speed.share:.0%} of {speed.read_gb_per_s:.1f} in reading as many alone"
    )
