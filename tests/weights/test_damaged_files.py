"""Files that are not whole weights of tinychat: always a WeightsError, of one line, and no other error."""

import zipfile
from pathlib import Path

import archives
import numpy as np
import pytest
from refusals import Refuse, assert_refused, refusal

from tinychat import weights
from tinychat.errors import UsageError, WeightsError


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
def test_headers_that_numpy_cannot_read(refuse: Refuse, header: str) -> None:
    refuse(lambda members: {**members, "parameters/norm1.0.gain.npy": with_header(header) + bytes(64)})
    refuse(lambda members: {**members, "metadata.npy": with_header(header) + bytes(64)})


@pytest.mark.parametrize("version", [b"\x02\x00", b"\x03\x00", b"\x09\x00", b"\x00\x00"])
def test_array_formats_of_another_version(refuse: Refuse, version: bytes) -> None:
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
