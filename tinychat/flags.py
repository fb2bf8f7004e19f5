"""The flags of a recipe: one for every field of ModelConfig and TrainConfig, so that none can be forgotten.

A TrainConfig field has three: `--lr` for both phases, `--pretrain-lr` and `--tune-lr` for one.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import fields
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tinychat.config import TOKENIZERS, ModelConfig, TrainConfig
from tinychat.presets import MODEL_FIELDS, PHASES, PRESETS

_HELP = {
    "n_layers": "transformer blocks",
    "d_model": "width of the vectors between the blocks",
    "d_ff": "hidden width of the feed-forward",
    "n_heads": "heads of queries",
    "n_kv_heads": "heads of keys and values, shared by groups of queries",
    "head_dim": "width of a head",
    "max_seq_len": "context, in tokens",
    "norm": "what normalises",
    "norm_position": "where it stands around a sub-layer",
    "norm_eps": "added to the variance",
    "positions": "how places are told apart",
    "rope_theta": "base of the rotary wavelengths",
    "rope_local_theta": "the same in sliding layers",
    "activation": "what bends the feed-forward",
    "gated": "multiply the feed-forward by a second projection",
    "bias": "biases in layer norms, in the feed-forward and behind the heads",
    "attention_bias": "biases of queries, keys and values",
    "attention_output": "project the joined heads",
    "output_bias": "biases of the logits",
    "qk_norm": "normalise queries and keys",
    "sliding_window": "places that a sliding layer looks at",
    "layer_types": "full or sliding for each layer, with commas",
    "tie_embeddings": "one matrix for embedding and output",
    "embedding_scale": "multiply embeddings by the root of the width",
    "logit_softcap": "soft limit of the logits",
    "dropout": "share of numbers dropped in training",
    "epochs": "passes over the examples",
    "min_updates": "updates at least, by more epochs where the corpus is small",
    "lr": "learning rate at its height",
    "schedule": "how the learning rate falls",
    "warmup": "share of a phase in which the learning rate rises",
    "final_lr": "share of the learning rate left at the end",
    "windows": "stretches of running text in an epoch, in place of sentences",
    "batch_size": "most examples in a batch",
    "accumulate": "batches in an update",
    "workers": "processes that each take a part of a batch, or of the work for one example",
    "mask_prompt": "learn answers only, not questions",
    "optimizer": "what turns gradients into updates",
    "beta1": "memory of the first moment",
    "beta2": "memory of the second moment",
    "eps": "added to the root of the second moment",
    "momentum": "memory of sgd and muon",
    "hidden_lr": "learning rate of hidden matrices under muon, as a share of the others'",
    "weight_decay": "pull of matrices towards 0",
    "clip_norm": "longest gradient",
    "ema_decay": "memory of the average of the weights; 0: none",
    "validation": "share of the examples held out to choose the best weights",
    "patience": "epochs without a better held-out loss before a phase ends; 0: never",
    "noise_from": "dialogues with the same answer from which on the following happens to them",
    "typos": "share of a question's words misspelt while learning",
    "careless": "share of questions without capitals and end mark while learning",
    "unanswerable": "share of questions made unanswerable, and declined, while learning",
    "cut_answers": "share of answers learnt by their beginning alone",
    "joined": "share of dialogues put together in pairs while learning",
    "sample_every": "epochs between two samples",
}


def whole(text: str) -> int:
    """A whole number of at least 0."""
    value = int(text)
    if value < 0:
        raise ValueError
    return value


whole.__name__ = "whole number"  # argparse says: invalid whole number value: 'x'


def number(text: str) -> float:
    return float(text)


def add_tokenizer(parser: Any, is_told: bool = True) -> None:
    """Add the flags that say how a tokenizer is made."""
    absent = argparse.SUPPRESS
    kind, size = ("what a token is", "most tokens of bpe") if is_told else (absent, absent)
    parser.add_argument("--tokenizer", choices=TOKENIZERS, default=absent, help=kind)
    parser.add_argument("--vocab-size", type=whole, metavar="N", default=absent, help=size)


def add_recipe(parser: argparse.ArgumentParser, is_told: bool) -> None:
    """Add preset, tokenizer, model and training flags; their help only if `is_told`."""
    parser.add_argument("--preset", choices=list(PRESETS), help="model and recipe (default: classic)")

    def told(text: str) -> str:
        return text if is_told else argparse.SUPPRESS

    add_tokenizer(parser.add_argument_group(told("tokenizer")), is_told)
    model = parser.add_argument_group(told("model"))
    for name, options in _options(ModelConfig):
        if name in MODEL_FIELDS:
            model.add_argument(_flag(name), **options, help=told(_HELP[name]))
    training = parser.add_argument_group(
        told("training (each also as --pretrain-… and --tune-…, for one phase)")
    )
    for name, options in _options(TrainConfig):
        training.add_argument(_flag(name), **options, help=told(_HELP[name]))
        for phase in PHASES:
            help_ = f"{_HELP[name]}, in one phase" if name == "epochs" else argparse.SUPPRESS
            training.add_argument(_flag(f"{phase}_{name}"), **options, help=help_)


DECODING_FIELDS = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "repetition_penalty",
    "beams",
    "length_penalty",
)
"""Names of the flags that say, with `seed`, how the next token is chosen."""


def add_decoding(parser: argparse.ArgumentParser) -> None:
    """Add the flags of DECODING_FIELDS, and the seed."""
    group = parser.add_argument_group("how the next token is chosen (the likeliest, unless told otherwise)")
    for name, read, metavar, text in (
        ("temperature", number, "X", "draw: 1 as the model has it, below surer, above more even"),
        ("top_k", whole, "N", "draw among so many of the likeliest"),
        ("top_p", number, "X", "draw among the fewest that together have this probability"),
        ("min_p", number, "X", "draw among those at least this share as likely as the likeliest"),
        ("repetition_penalty", number, "X", "above 1: what was said becomes less likely"),
        ("seed", whole, "N", "start of the draws (default: 0)"),
        ("beams", whole, "N", "no draw: follow so many answers and give the likeliest"),
        ("length_penalty", number, "X", "with beams: the higher, the less length counts against an answer"),
    ):
        group.add_argument(_flag(name), type=read, metavar=metavar, help=text)


VIEWS = {
    "alternatives": "what could stand in place of each token of the answer (default)",
    "attention": "where each token looks",
    "lens": "what each layer would say is next",
    "embedding": "a map of all tokens, or of those of the prompt",
    "nearest": "tokens with the most similar vectors",
}
"""What `inspect` shows, by its flag; one at a time."""


def add_views(parser: argparse.ArgumentParser) -> None:
    """Add the flags of VIEWS, and those that choose a part of one."""
    absent = argparse.SUPPRESS
    view = parser.add_mutually_exclusive_group()
    for name, shows in VIEWS.items():
        takes: dict[str, Any] = {"metavar": "WORD"} if name == "nearest" else {"action": "store_true"}
        view.add_argument(_flag(name), **takes, default=absent, help=shows)
    for part in ("layer", "head"):
        told = f"this {part} alone, counted from 1"
        parser.add_argument(_flag(part), type=whole, metavar="N", default=absent, help=told)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _options(config: type) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name of every field, and how argparse is to read its flag."""
    kinds = get_type_hints(config)
    for field in fields(config):
        kind = kinds[field.name]
        if kind is bool:
            yield field.name, {"action": argparse.BooleanOptionalAction}
        elif get_origin(kind) is Literal:
            yield field.name, {"choices": get_args(kind)}
        elif get_origin(kind) is tuple:
            yield field.name, {"type": _list, "metavar": "KIND,…"}
        elif NoneType in get_args(kind):
            yield field.name, {"type": _or_none(get_args(kind)[0]), "metavar": "X|none"}
        else:
            read = whole if kind is int else number
            yield field.name, {"type": read, "metavar": "N" if kind is int else "X"}


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _or_none(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        return None if text == "none" else kind(text)

    read.__name__ = f"{kind.__name__} or none"  # argparse says: invalid float or none value: 'x'
    return read
