"""Files that are almost weights: taken apart, changed and put together again."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

Members = dict[str, bytes]
"""Name in the archive -> contents, in order."""


def read(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, members: Members, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return path


def array(contents: bytes) -> Any:
    return np.load(io.BytesIO(contents), allow_pickle=False)


def npy_bytes(value: Any, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=allow_pickle)
    return buffer.getvalue()


def header_bytes(shape: tuple[int, ...], descr: str = "<f4") -> bytes:
    """An array that promises its shape and holds nothing."""
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def metadata(members: Members) -> dict[str, Any]:
    return dict(json.loads(str(array(members["metadata.npy"]))))


def with_metadata(members: Members, value: Any) -> Members:
    text = value if isinstance(value, str) else json.dumps(value)
    return {**members, "metadata.npy": npy_bytes(np.array(text))}
