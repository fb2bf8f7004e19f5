"""A description with a wrong field is refused, and so is that of another program or version."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

import archives
import numpy as np
import pytest
from archives import Members
from refusals import Refuse, accepted, assert_refused, at

from tinychat import weights
from tinychat.config import ModelConfig, TrainConfig
from tinychat.model import ModelCard
from tinychat.training.events import EpochDone
from tinychat.training.history import PhaseProgress
from tinychat.weights.description import OptimizerRecord


@pytest.mark.parametrize("version", [0, 1, 3, True, "2", 1.5, None, [1], {}])
def test_another_version(refuse: Refuse, version: object) -> None:
    refuse(
        lambda m: archives.with_metadata(m, {**archives.metadata(m), "version": version}),
        "version|description",
    )


@pytest.mark.parametrize("name", ["gguf", "", None, 1])
def test_another_format(refuse: Refuse, name: object) -> None:
    refuse(
        lambda m: archives.with_metadata(m, {**archives.metadata(m), "format": name}), "not a weights file"
    )


@pytest.mark.parametrize(
    "text", ["", "hello", "{", "[]", "5", "null", '"text"', "{}", "[" * 100_000, '{"format": "tinychat"}']
)
def test_metadata_that_is_no_description(refuse: Refuse, text: str) -> None:
    refuse(lambda m: archives.with_metadata(m, text))


@pytest.mark.parametrize(
    "value",
    [np.ones(3), np.float32(1), np.array([["{}"]]), np.array(b"{}"), np.zeros(0), np.array(["a", "b"])],
)
def test_metadata_that_is_no_text(refuse: Refuse, value: Any) -> None:
    refuse(lambda m: {**m, "metadata.npy": archives.npy_bytes(value)})


WRONG: tuple[Any, ...] = (None, True, 7, -7, 0.5, float("nan"), float("inf"), "text", [], [7], {"a": 7}, {})

ONE_OF_A_TYPE: tuple[Any, ...] = (None, True, 7, 0.5, "text", [], [7], {"a": 7}, {})
"""Enough where no number is wanted; what is empty is another case."""


def wrong_for(value: Any) -> list[Any]:
    """Values of every type but that of `value`; where a number is wanted, also those that are none."""
    if isinstance(value, bool):
        return [w for w in WRONG if not isinstance(w, bool)]
    if isinstance(value, int):
        return [w for w in WRONG if type(w) is not int]
    if isinstance(value, float):
        return [w for w in WRONG if type(w) not in (int, float) or not np.isfinite(w)]
    return [w for w in ONE_OF_A_TYPE if type(w) is not type(value)]


SECTIONS: dict[str, tuple[tuple[str | int, ...], type]] = {
    "config": (("config",), ModelConfig),
    "optimizer": (("optimizer",), OptimizerRecord),
    "card": (("card",), ModelCard),
    "recipe": (("card", "configs", "tune"), TrainConfig),
    "progress": (("card", "progress", "tune"), PhaseProgress),
    "record": (("card", "progress", "tune", "epochs", 0), EpochDone),
}


@pytest.mark.parametrize(
    ("section", "field"),
    [(section, f.name) for section, (_, cls) in SECTIONS.items() for f in fields(cls)],
)
def test_a_field_of_another_type(good: Path, section: str, field: str) -> None:
    path, cls = SECTIONS[section]
    value = at(archives.metadata(archives.read(good)), path)[field]
    wrong = wrong_for(value)
    if get_type_hints(cls)[field] == float | None:
        wrong = [w for w in wrong_for(0.5) if w is not None]
    if field == "layer_types":
        wrong = [w for w in wrong if w != {}]  # as good a way to say that there are none
    assert accepted(good, path, field, wrong) == []


some_part = pytest.mark.parametrize(
    "field", ["format", "version", "config", "tokenizer", "card", "optimizer", "extras"]
)


@some_part
def test_a_part_of_another_type(good: Path, field: str) -> None:
    value = archives.metadata(archives.read(good))[field]
    wrong = [w for w in (*wrong_for(value), {}, -1) if w != value]
    assert accepted(good, (), field, wrong) == []


@some_part
def test_a_part_that_is_missing(refuse: Refuse, field: str) -> None:
    def change(m: Members) -> Members:
        metadata = archives.metadata(m)
        del metadata[field]
        return archives.with_metadata(m, metadata)

    refuse(change, "is missing|version None|not a weights file of tinychat; train")


@pytest.mark.parametrize("section", SECTIONS)
def test_a_field_that_is_missing_or_too_many(good: Path, section: str) -> None:
    path, cls = SECTIONS[section]
    members = archives.read(good)
    required = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    for name in required:
        metadata = archives.metadata(members)
        del at(metadata, path)[name]
        assert_refused(archives.write(good.with_name("less.npz"), archives.with_metadata(members, metadata)))
    metadata = archives.metadata(members)
    at(metadata, path)["unheard_of"] = 1
    assert_refused(archives.write(good.with_name("more.npz"), archives.with_metadata(members, metadata)))


@pytest.mark.parametrize(
    ("path", "field", "values"),
    [
        (("optimizer",), "updates", [-1]),
        (("card",), "seed", [-1]),
        (("card",), "sample_prompts", [{}, {"pretrain": "Rain"}, {"tune": 7, "pretrain": 7}]),
        (("card",), "examples", [[7], [None]]),
        (("card",), "versions", [{"numpy": 7}]),
        (("card", "progress", "tune"), "step", [-1]),
        (("card", "progress", "tune"), "n_tokens", [-1]),
    ],
)
def test_a_value_that_makes_no_sense(
    good: Path, path: tuple[str, ...], field: str, values: list[Any]
) -> None:
    assert accepted(good, path, field, values) == []


PHASED = ("configs", "progress", "sample_prompts")
"""Parts of the card that say something of every phase."""


@pytest.mark.parametrize("parts", [PHASED[:1], PHASED[1:2], PHASED[:2], PHASED], ids="+".join)
@pytest.mark.parametrize("name", ["pretrain", "warm-up", "", None])
def test_phases_that_do_not_match(good: Path, parts: tuple[str, ...], name: str | None) -> None:
    """`tune` under another name, or not there at all, in some of the parts or in all of them."""
    members = archives.read(good)
    metadata = archives.metadata(members)
    for part in parts:
        tune = metadata["card"][part].pop("tune")
        if name is not None:
            metadata["card"][part][name] = tune
    path = archives.write(good.with_name("phases.npz"), archives.with_metadata(members, metadata))
    if {"configs", "progress"} <= {*parts} and name in ("pretrain", None):
        weights.load(path)  # a model that has one phase; a prompt too many does no harm
    else:
        assert_refused(path, "phase")


@pytest.mark.parametrize(
    "tokenizer",
    [
        {},
        {"kind": "word"},
        {"kind": "bpe", "words": []},
        {"kind": "word", "words": "Rain"},
        {"kind": "word", "words": []},
        {"kind": ["word"], "words": []},
    ],
)
def test_a_tokenizer_that_does_not_fit(good: Path, tokenizer: dict[str, Any]) -> None:
    members = archives.read(good)
    metadata = {**archives.metadata(members), "tokenizer": tokenizer}
    assert_refused(
        archives.write(good.with_name("t.npz"), archives.with_metadata(members, metadata)), "tokenizer"
    )


@pytest.mark.parametrize("word", [7, None, "", "two words", "</s>x y", "Rain", ["Rain"]])
def test_a_word_that_is_none(good: Path, word: Any) -> None:
    members = archives.read(good)
    metadata = archives.metadata(members)
    words = metadata["tokenizer"]["words"]
    assert "Rain" in words
    words[words.index("spring")] = word
    assert_refused(
        archives.write(good.with_name("w.npz"), archives.with_metadata(members, metadata)), "tokenizer"
    )
