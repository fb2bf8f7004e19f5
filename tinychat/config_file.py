"""Flags from a TOML file, and a recipe as such a file: `n_heads = 4` stands for `--n-heads 4`."""

import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tinychat.config import ModelConfig, TrainConfig
from tinychat.errors import ConfigError
from tinychat.presets import PHASES, PRESETS, TRAIN_FIELDS, Preset

_SWITCHES = {
    field.name for config in (ModelConfig, TrainConfig) for field in fields(config) if field.type is bool
}
"""Keys with a `--no-…`; argparse would take `--no-out` for the beginning of `--no-output-bias`."""


def read_flags(path: Path, known: Collection[str]) -> list[str]:
    """The file as command-line flags. Raise ConfigError if it cannot be read, or has a key not `known`."""
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # also a number of too many digits, and lists in lists
        raise ConfigError(f"{path} is not TOML: {error}") from None
    flags = []
    for key, value in values.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "; keys are named as the flags are"
            raise ConfigError(f"{path}: there is no flag for {key!r}{hint}")
        flags.append(_flag(path, key, value))
    return flags


def _flag(path: Path, key: str, value: object) -> str:
    name = key.replace("_", "-")
    if isinstance(value, bool):
        if not value and key.removeprefix("pretrain_").removeprefix("tune_") not in _SWITCHES:
            raise ConfigError(f"{path}: {key} cannot be false; leave it out")
        return f"--{name}" if value else f"--no-{name}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return f"--{name}={','.join(value)}"
    if isinstance(value, int | float | str):
        return f"--{name}={value}"
    raise ConfigError(f"{path}: {key} must be a number, a text, true, false or a list of texts")


def to_toml(recipe: Preset, others: Mapping[str, Any]) -> str:
    """All values of `recipe` and of `others` as a file for --config. A value that is None has no line."""
    name = recipe.name if recipe.name in PRESETS else None
    values: dict[str, Any] = {**others, "preset": name, "tokenizer": recipe.tokenizer}
    if recipe.tokenizer == "bpe":
        values["vocab_size"] = recipe.vocab_size
    values |= {key: value for key, value in asdict(recipe.model_config(2)).items() if key != "vocab_size"}
    phases = {phase: asdict(getattr(recipe, phase)) for phase in PHASES}
    for name in TRAIN_FIELDS:
        first, second = (phases[phase][name] for phase in PHASES)
        values |= {name: first} if first == second else {f"{p}_{name}": phases[p][name] for p in PHASES}
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items() if value not in (None, ()))


def _toml(value: object) -> str:
    """Texts, lists of texts, booleans and numbers are written in TOML as in JSON, but for rare characters."""
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return "".join(char if char < "\x7f" else f"\\U{ord(char):08x}" for char in text)
