"""A model so small that training it takes no time, by flags."""

from pathlib import Path

from cli_runs import Call

from tinychat.model import Model
from tinychat.weights import load

TINY = ("--n-layers", "1", "--d-model", "16", "--d-ff", "8", "--epochs", "1")


def trained(call: Call, corpus: Path, *flags: str) -> Model:
    done = call("train", "--corpus", corpus, *TINY, *flags, "--out", "m.npz")
    assert (done.code, done.out) == (0, "")
    return load("m.npz")
