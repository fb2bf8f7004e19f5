"""Arrays that are not those of the config are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import archives
import numpy as np
import pytest
from archives import Members
from refusals import WEIGHT, Refuse, accepted, some_array


@some_array
def test_a_missing_array(refuse: Refuse, name: str) -> None:
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
def test_an_array_too_many(refuse: Refuse, name: str) -> None:
    refuse(lambda m: {**m, name: archives.npy_bytes(np.ones(3, np.float32))}, "does not belong")


def test_moments_without_updates(refuse: Refuse) -> None:
    refuse(
        lambda m: archives.with_metadata(m, {**archives.metadata(m), "optimizer": None}), "does not belong"
    )


def test_an_optimizer_of_another_kind(refuse: Refuse) -> None:
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
    refuse: Refuse, extras: object, match: str
) -> None:
    refuse(lambda m: archives.with_metadata(m, {**archives.metadata(m), "extras": extras}), match)


@some_array
def test_another_name(refuse: Refuse, name: str) -> None:
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
def test_another_shape_or_dtype(refuse: Refuse, name: str, change: Callable[[Any], Any]) -> None:
    refuse(replaced(name, change), "the config wants float32")


def test_a_transposed_matrix(refuse: Refuse) -> None:
    refuse(replaced(WEIGHT, lambda a: np.ascontiguousarray(a.T)), "the config wants")


def test_fortran_order(refuse: Refuse) -> None:
    refuse(replaced(WEIGHT, np.asfortranarray), "the config wants")


@some_array
def test_pickled_objects_are_never_unpickled(refuse: Refuse, name: str) -> None:
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
def test_numbers_that_are_not_finite(refuse: Refuse, name: str, value: float, place: int) -> None:
    def change(a: Any) -> Any:
        a.ravel()[place] = value
        return a

    refuse(replaced(name, change), "not finite", summary_too=False)


def test_data_shorter_and_longer_than_the_header_says(refuse: Refuse) -> None:
    refuse(lambda m: {**m, WEIGHT: m[WEIGHT][:-4]}, summary_too=False)
    refuse(lambda m: {**m, WEIGHT: m[WEIGHT][:128]}, summary_too=False)


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
