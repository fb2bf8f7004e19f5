"""Files that are not whole weights of tinychat: always a WeightsError, of one line, and no other error."""

import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

import archives
import numpy as np
import pytest
from archives import Members

from tinychat import weights
from tinychat.config import ModelConfig, TrainConfig
from tinychat.core.model import Transformer
from tinychat.errors import UsageError, WeightsError
from tinychat.model import ModelCard
from tinychat.training.events import EpochDone
from tinychat.training.history import PhaseProgress
from tinychat.weights.npz import OptimizerRecord


def assert_refused(path: Path, match: str = ".", summary_too: bool = True) -> None:
    for read in (weights.load, weights.read_summary) if summary_too else (weights.load,):
        with pytest.raises(WeightsError, match=match) as caught:
            read(path)
        message = str(caught.value)
        assert str(path) in message
        assert len(message.splitlines()) == 1
        assert len(message) < len(str(path)) + 1000


@pytest.fixture
def refuse(good: Path) -> Callable[..., None]:
    """Change the members of a good file by a function, and see that the result is refused."""

    def refuse(
        change: Callable[[Members], Members | None], match: str = ".", summary_too: bool = True
    ) -> None:
        members = archives.read(good)
        path = archives.write(good.with_name("changed.npz"), change(members) or members)
        assert_refused(path, match, summary_too)

    return refuse


def test_a_file_put_together_again_is_still_good(good: Path) -> None:
    """Otherwise all that follows would be refused for another reason than the one that is tested."""
    members = archives.read(good)
    again = archives.with_metadata(members, archives.metadata(members))
    assert again == members
    path = archives.write(good.with_name("again.npz"), again)
    assert weights.load(path).card == weights.load(good).card


# -- files that are something else --------------------------------------------------------------------


def test_missing(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.npz", "not there")


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_refused(tmp_path / "file" / "model.npz")


def test_a_folder(tmp_path: Path) -> None:
    assert_refused(tmp_path, "directory|denied")


@pytest.mark.parametrize("path", ["~nobody-of-this-name/model.npz", "nul\0.npz", "n" * 300])
def test_a_path_that_no_file_can_have(path: str) -> None:
    for read in (weights.load, weights.read_summary):
        with pytest.raises((UsageError, WeightsError)) as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"\0",
        b"Some mountains still grow a little every year.\n",
        b"PK\3\4",
        b"PK\5\6" + bytes(18),
        b"\x93NUMPY",
    ],
)
def test_another_kind_of_file(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "other.npz"
    path.write_bytes(contents)
    assert_refused(path)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    assert_refused(archives.write(tmp_path / "a.npz", {"hello.txt": b"hello"}), "not a weights file")
    np.savez(tmp_path / "b.npz", x=np.ones(3))
    assert_refused(tmp_path / "b.npz", "not a weights file")
    np.savez(tmp_path / "c.npz", metadata=np.ones(3))
    assert_refused(tmp_path / "c.npz")


# -- files that were damaged on their way -------------------------------------------------------------


def test_cut_short(good: Path) -> None:
    whole = good.read_bytes()
    cuts = [*np.linspace(0, len(whole) - 1, 40).astype(int), 1, 4, 30, len(whole) - 22]
    path = good.with_name("cut.npz")
    for cut in cuts:
        path.write_bytes(whole[:cut])
        assert_refused(path, "cut short")


def refusal(path: Path) -> str | None:
    """What is wrong with the file; None if it can be read. Any error but a WeightsError comes through."""
    try:
        weights.load(path)
    except WeightsError as error:
        return str(error)
    return None


def assert_refused_or_good(path: Path) -> bool:
    """Whatever can be read is finite, and whatever cannot is refused in one line. Return which it is."""
    message = refusal(path)
    if message is None:
        model = weights.load(path)
        assert model.optimizer is not None
        vectors = (*model.optimizer.state.values(), *model.extras.values())
        for flat in (model.transformer.parameters.values, *vectors):
            assert np.isfinite(flat).all()
        return True
    assert len(message.splitlines()) == 1
    return False


def structure(contents: bytes) -> list[int]:
    """Places that are not numbers of an array: the headers of the arrays, and those of the archive."""
    places: list[int] = []
    for mark, length in ((b"PK\3\4", 60), (b"\x93NUMPY", 128), (b"PK\1\2", 90), (b"PK\5\6", 22)):
        at = contents.find(mark)
        while at >= 0:
            places += range(at, min(at + length, len(contents)))
            at = contents.find(mark, at + 1)
    return places


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_single_bytes_changed_anywhere(good: Path) -> None:
    whole = good.read_bytes()
    rng = np.random.default_rng(0)
    path = good.with_name("flipped.npz")
    outcomes = []
    for place in rng.integers(0, len(whole), 60):
        flipped = bytearray(whole)
        flipped[place] ^= rng.integers(1, 256)
        path.write_bytes(flipped)
        outcomes.append(assert_refused_or_good(path))
    assert outcomes.count(False) > 50  # a checksum guards every number


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", range(4))
def test_single_bytes_changed_in_the_headers(good: Path, seed: int) -> None:
    whole = good.read_bytes()
    rng = np.random.default_rng(seed)
    path = good.with_name("flipped.npz")
    for place in rng.choice(structure(whole), 80):
        flipped = bytearray(whole)
        flipped[place] ^= rng.integers(1, 256)
        path.write_bytes(flipped)
        assert_refused_or_good(path)


def with_header(text: str, version: bytes = b"\x01\x00") -> bytes:
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("{'descr': '<f4', 'fortran_order': False, 'shape': (16,),", id="not closed"),
        pytest.param("{'descr': ',f4', 'fortran_order': False, 'shape': (16,), }", id="no dtype"),
        pytest.param("{['descr']: '<f4', 'fortran_order': False, 'shape': (16,), }", id="no dict"),
        pytest.param("  {'descr': '<f4',\n 'fortran_order': False}", id="indented"),
        pytest.param("{'descr': '<f4', 'fortran_order': False, 'shape': 16, }", id="no shape"),
        pytest.param("{'descr': '<f4', 'fortran_order': False, 'shape': (-16,), }", id="negative"),
        pytest.param("{'descr': '<f4', 'fortran_order': 0, 'shape': (16,), }", id="no order"),
        pytest.param("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (16,), }", id="record"),
        pytest.param("__import__('os')", id="code"),
        pytest.param("(" * 100, id="nested"),
        pytest.param(" " * 11_000, id="long"),
    ],
)
def test_headers_that_numpy_cannot_read(refuse: Callable[..., None], header: str) -> None:
    refuse(lambda members: {**members, "parameters/norm1.0.gain.npy": with_header(header) + bytes(64)})
    refuse(lambda members: {**members, "metadata.npy": with_header(header) + bytes(64)})


@pytest.mark.parametrize("version", [b"\x02\x00", b"\x03\x00", b"\x09\x00", b"\x00\x00"])
def test_array_formats_of_another_version(refuse: Callable[..., None], version: bytes) -> None:
    good = "{'descr': '<f4', 'fortran_order': False, 'shape': (16,), }"
    refuse(lambda members: {**members, "parameters/norm1.0.gain.npy": with_header(good, version) + bytes(64)})


@pytest.mark.parametrize("method", [1, 8, 9, 12, 14, 93, 95, 99])
def test_an_archive_that_says_it_is_compressed_and_is_not(good: Path, method: int) -> None:
    contents = bytearray(good.read_bytes())
    at = contents.find(b"PK\1\2")
    while at >= 0:
        contents[at + 10] = method
        at = contents.find(b"PK\1\2", at + 1)
    path = good.with_name("compressed.npz")
    path.write_bytes(contents)
    assert_refused(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_archive(good: Path, method: int) -> None:
    """Another program may have packed it anew; then it is read as any, and refused when it is damaged."""
    path = archives.write(good.with_name("packed.npz"), archives.read(good), method)
    contents = path.read_bytes()
    assert assert_refused_or_good(path)
    for place in range(30, 110):  # the first array: its name, and the start of what is packed
        damaged = bytearray(contents)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        assert_refused_or_good(path)


def test_an_encrypted_archive(good: Path) -> None:
    contents = bytearray(good.read_bytes())
    at = contents.find(b"PK\1\2")
    while at >= 0:
        contents[at + 8] |= 1
        at = contents.find(b"PK\1\2", at + 1)
    path = good.with_name("encrypted.npz")
    path.write_bytes(contents)
    assert_refused(path)


# -- files of another program, or of another version of this one --------------------------------------


@pytest.mark.parametrize("version", [0, 1, 3, True, "2", 1.5, None, [1], {}])
def test_another_version(refuse: Callable[..., None], version: object) -> None:
    refuse(
        lambda m: archives.with_metadata(m, {**archives.metadata(m), "version": version}),
        "version|description",
    )


@pytest.mark.parametrize("name", ["gguf", "", None, 1])
def test_another_format(refuse: Callable[..., None], name: object) -> None:
    refuse(
        lambda m: archives.with_metadata(m, {**archives.metadata(m), "format": name}), "not a weights file"
    )


@pytest.mark.parametrize(
    "text", ["", "hello", "{", "[]", "5", "null", '"text"', "{}", "[" * 100_000, '{"format": "tinychat"}']
)
def test_metadata_that_is_no_description(refuse: Callable[..., None], text: str) -> None:
    refuse(lambda m: archives.with_metadata(m, text))


@pytest.mark.parametrize(
    "value",
    [np.ones(3), np.float32(1), np.array([["{}"]]), np.array(b"{}"), np.zeros(0), np.array(["a", "b"])],
)
def test_metadata_that_is_no_text(refuse: Callable[..., None], value: Any) -> None:
    refuse(lambda m: {**m, "metadata.npy": archives.npy_bytes(value)})


# -- arrays that are not those of the config ----------------------------------------------------------

GAIN, WEIGHT, MOMENT = "parameters/norm1.0.gain.npy", "parameters/attention.1.w_qkv.npy", "optimizer/v.npy"
AVERAGE = "training/average.npy"
some_array = pytest.mark.parametrize("name", [GAIN, WEIGHT, MOMENT, AVERAGE])


@some_array
def test_a_missing_array(refuse: Callable[..., None], name: str) -> None:
    refuse(lambda m: {key: value for key, value in m.items() if key != name}, "is missing")


@pytest.mark.parametrize(
    "name",
    [
        "parameters/extra.npy",
        "parameters/norm1.2.gain.npy",
        "extra.npy",
        "notes.txt",
        "../out.npy",
        "optimizer/x.npy",
        "training/best.npy",
        "training/x.npy",
    ],
)
def test_an_array_too_many(refuse: Callable[..., None], name: str) -> None:
    refuse(lambda m: {**m, name: archives.npy_bytes(np.ones(3, np.float32))}, "does not belong")


def test_moments_without_updates(refuse: Callable[..., None]) -> None:
    refuse(
        lambda m: archives.with_metadata(m, {**archives.metadata(m), "optimizer": None}), "does not belong"
    )


def test_an_optimizer_of_another_kind(refuse: Callable[..., None]) -> None:
    """As many vectors of the same length, and others than these."""

    def kind(name: str) -> Callable[[Members], Members]:
        return lambda m: archives.with_metadata(
            m, {**archives.metadata(m), "optimizer": {"kind": name, "updates": 9}}
        )

    refuse(kind("sgd"), "optimizer/v does not belong")
    refuse(kind("rmsprop"), "the optimiser must be adam or adamw or sgd or muon, not 'rmsprop'")
    refuse(kind(""), "the optimiser must be")
    refuse(
        lambda m: {key: value for key, value in kind("sgd")(m).items() if key != "optimizer/m.npy"}, "missing"
    )


@pytest.mark.parametrize(
    ("extras", "match"),
    [
        ([], "does not belong"),
        (["best"], "training/best is missing"),
        (["average", "best"], "training/best is missing"),
        (["average", "average"], "each at most once"),
        (["average", "../out"], "extra vectors are average and best"),
        ([7], "cannot be"),
        ("average", "cannot be"),
        ({"average": 7}, "cannot be"),
    ],
)
def test_extra_vectors_that_the_description_does_not_match(
    refuse: Callable[..., None], extras: object, match: str
) -> None:
    refuse(lambda m: archives.with_metadata(m, {**archives.metadata(m), "extras": extras}), match)


@some_array
def test_another_name(refuse: Callable[..., None], name: str) -> None:
    """As a file of that name without the ending, which NumPy would read as well."""
    refuse(lambda m: {key.removesuffix(".npy") if key == name else key: value for key, value in m.items()})


def replaced(name: str, change: Callable[[Any], Any]) -> Callable[[Members], Members]:
    return lambda m: {**m, name: archives.npy_bytes(change(archives.array(m[name])))}


@some_array
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda a: a[:-1], id="shorter"),
        pytest.param(lambda a: a.reshape(1, *a.shape), id="one more axis"),
        pytest.param(lambda a: a.ravel()[0], id="a number"),
        pytest.param(lambda a: a[:0], id="empty"),
        pytest.param(lambda a: a.astype(np.float64), id="float64"),
        pytest.param(lambda a: a.astype(np.float16), id="float16"),
        pytest.param(lambda a: a.astype(np.int32), id="int32"),
        pytest.param(lambda a: a.astype(">f4"), id="the other byte order"),
        pytest.param(lambda a: a.astype(np.complex64), id="complex"),
        pytest.param(lambda a: a.astype(str), id="text"),
        pytest.param(lambda a: a.astype([("x", np.float32)]), id="records"),
    ],
)
def test_another_shape_or_dtype(refuse: Callable[..., None], name: str, change: Callable[[Any], Any]) -> None:
    refuse(replaced(name, change), "the config wants float32")


def test_a_transposed_matrix(refuse: Callable[..., None]) -> None:
    refuse(replaced(WEIGHT, lambda a: np.ascontiguousarray(a.T)), "the config wants")


def test_fortran_order(refuse: Callable[..., None]) -> None:
    refuse(replaced(WEIGHT, np.asfortranarray), "the config wants")


@some_array
def test_pickled_objects_are_never_unpickled(refuse: Callable[..., None], name: str) -> None:
    objects = archives.npy_bytes(np.array([Trap()], object), allow_pickle=True)
    refuse(lambda m: {**m, name: objects})
    refuse(lambda m: {**m, "metadata.npy": objects})
    refuse(lambda m: {**m, "metadata.npy": b"\x80\x04N."})
    assert not Trap.sprung


class Trap:
    """Tells when it is unpickled."""

    sprung = False

    def __reduce__(self) -> Any:
        return spring, ()


def spring() -> None:
    Trap.sprung = True


@some_array
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, -1])
def test_numbers_that_are_not_finite(
    refuse: Callable[..., None], name: str, value: float, place: int
) -> None:
    def change(a: Any) -> Any:
        a.ravel()[place] = value
        return a

    refuse(replaced(name, change), "not finite", summary_too=False)


def test_data_shorter_and_longer_than_the_header_says(refuse: Callable[..., None]) -> None:
    refuse(lambda m: {**m, WEIGHT: m[WEIGHT][:-4]}, summary_too=False)
    refuse(lambda m: {**m, WEIGHT: m[WEIGHT][:128]}, summary_too=False)


# -- sizes that nothing could hold --------------------------------------------------------------------

SMALL = 16 * 2**20
"""Bytes that reading a file of a hundred kilobytes may take; each case below promises far more."""


def peak_of(read: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "shape", [(10**12,), (10**6, 10**6), (2**31, 2**31), (2**63 - 1,), (2**70,), (10**9,) * 32]
)
@some_array
def test_a_header_that_promises_too_much(
    refuse: Callable[..., None], name: str, shape: tuple[int, ...]
) -> None:
    assert peak_of(lambda: refuse(lambda m: {**m, name: archives.header_bytes(shape)})) < SMALL


@pytest.mark.parametrize("descr", ["<U1000000000", "|S2000000000", "|V2000000000"])
def test_a_description_that_promises_too_much(refuse: Callable[..., None], descr: str) -> None:
    header = archives.header_bytes((), descr)
    assert peak_of(lambda: refuse(lambda m: {**m, "metadata.npy": header})) < SMALL


def test_a_config_and_headers_that_promise_too_much_together(refuse: Callable[..., None]) -> None:
    """The headers fit the config, and the file is still far too short for either."""

    def change(m: Members) -> Members:
        metadata = archives.metadata(m)
        metadata["config"]["d_ff"] = 500_000
        specs = Transformer.specs(ModelConfig(**metadata["config"]))
        headers = {
            f"parameters/{s.name}.npy": archives.header_bytes(s.shape)
            for s in specs
            if "feed_forward" in s.name
        }
        size = (sum(spec.size for spec in specs),)
        vectors = ("optimizer/m.npy", "optimizer/v.npy", AVERAGE)
        return archives.with_metadata(
            {**m, **headers, **dict.fromkeys(vectors, archives.header_bytes(size))}, metadata
        )

    assert peak_of(lambda: refuse(change, summary_too=False)) < SMALL


def test_a_config_of_very_many_layers(refuse: Callable[..., None]) -> None:
    def change(m: Members) -> Members:
        metadata = archives.metadata(m)
        metadata["config"]["n_layers"] = 10_000
        return archives.with_metadata(m, metadata)

    assert peak_of(lambda: refuse(change, "missing")) < SMALL


# -- descriptions with a wrong field ------------------------------------------------------------------

WRONG: tuple[Any, ...] = (None, True, 7, -7, 0.5, float("nan"), float("inf"), "text", [], [7], {"a": 7}, {})


def wrong_for(value: Any) -> list[Any]:
    """Values of every type but that of `value`; where a number is wanted, also those that are none."""
    if isinstance(value, bool):
        return [w for w in WRONG if not isinstance(w, bool)]
    if isinstance(value, int):
        return [w for w in WRONG if type(w) is not int]
    if isinstance(value, float):
        return [w for w in WRONG if type(w) not in (int, float) or not np.isfinite(w)]
    return [w for w in WRONG if type(w) is not type(value)]


SECTIONS: dict[str, tuple[tuple[str | int, ...], type]] = {
    "config": (("config",), ModelConfig),
    "optimizer": (("optimizer",), OptimizerRecord),
    "card": (("card",), ModelCard),
    "recipe": (("card", "configs", "tune"), TrainConfig),
    "progress": (("card", "progress", "tune"), PhaseProgress),
    "record": (("card", "progress", "tune", "epochs", 0), EpochDone),
}


def at(metadata: dict[str, Any], path: tuple[str | int, ...]) -> Any:
    found: Any = metadata
    for key in path:
        found = found[key]
    return found


def accepted(good: Path, path: tuple[str | int, ...], field: str, values: list[Any]) -> list[Any]:
    """Those of `values` that both readers take for the field."""
    members = archives.read(good)
    taken = []
    for value in values:
        metadata = archives.metadata(members)
        at(metadata, path)[field] = value
        changed = archives.write(good.with_name("changed.npz"), archives.with_metadata(members, metadata))
        if refusal(changed) is None:
            taken.append(value)
        else:
            assert_refused(changed)
    return taken


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
def test_a_part_that_is_missing(refuse: Callable[..., None], field: str) -> None:
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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_layers", 1),
        ("n_layers", 3),
        ("d_ff", 33),
        ("max_seq_len", 25),
        ("vocab_size", 5),
        ("norm", "rmsnorm"),
        ("positions", "rope"),
        ("n_kv_heads", 2),
    ],
)
def test_a_config_that_the_arrays_do_not_fit(good: Path, field: str, value: Any) -> None:
    assert accepted(good, ("config",), field, [value]) == []
