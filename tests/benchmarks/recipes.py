"""The three training runs that are measured, and where their data are."""

import os
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinychat.corpus import Corpus, load_corpus
from tinychat.presets import Preset, preset

HERE = Path(__file__).parent
DATA = Path(os.environ.get("TINYCHAT_DATA", HERE.parents[2] / "shared/data"))
"""With `rustgpt/` and `tinyshakespeare/input.txt`; another place by the variable TINYCHAT_DATA."""
Recipe = tuple[Corpus, Preset]


def classic(**changes: Any) -> Recipe:
    """RustGPT's own run: 78 examples, 100 + 100 epochs, one example an update."""
    return load_corpus(DATA / "rustgpt"), preset("classic").changed(changes)


def nanogpt(**changes: Any) -> Recipe:
    """nanoGPT's recipe for a processor."""
    values = tomllib.loads((HERE / "nanogpt.toml").read_text(encoding="utf-8"))
    corpus = load_corpus(DATA / "tinyshakespeare/input.txt")
    return corpus, replace(preset("classic").changed({**values, **changes}), name="nanogpt")


def modern(**changes: Any) -> Recipe:
    """The preset on the bundled corpus `world`."""
    return load_corpus("world"), preset("modern").changed(changes)


RECIPES: dict[str, Callable[..., Recipe]] = {"classic": classic, "nanogpt": nanogpt, "modern": modern}
