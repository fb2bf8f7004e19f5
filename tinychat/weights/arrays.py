"""The arrays of an .npz file: none is believed before its name, shape and dtype were checked."""

from math import prod
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.errors import WeightsError


def check_arrays(archive: ZipFile, config: ModelConfig, vectors: list[str]) -> int:
    """Compare names, shapes, dtypes and sizes with those of `config`; return the number of parameters.

    `vectors` are the names of those of shape (P,). Raise WeightsError where anything differs. It is seen from
    the headers alone: nothing is allocated that the file does not hold.
    """
    if config.n_layers > len(archive.namelist()):
        raise WeightsError(f"arrays are missing: the config has {config.n_layers} layers, the file fewer")
    specs = Transformer.specs(config)
    n_parameters = sum(spec.size for spec in specs)
    expected = {f"parameters/{spec.name}": spec.shape for spec in specs}
    expected |= dict.fromkeys(vectors, (n_parameters,))
    found = {name.removesuffix(".npy") for name in archive.namelist()} - {"metadata"}
    if missing := sorted(expected.keys() - found):
        raise WeightsError(f"{missing[0]} is missing ({len(missing)} in all)")
    if surplus := sorted(found - expected.keys()):
        raise WeightsError(f"{surplus[0]} does not belong to the model that the config describes")
    for name, shape in expected.items():
        with archive.open(f"{name}.npy") as file:
            found_shape, fortran, dtype = read_header(file)
            n_bytes = archive.getinfo(f"{name}.npy").file_size - file.tell()
        if found_shape != shape or dtype != np.float32 or fortran:
            raise WeightsError(f"{name} is {dtype}{found_shape}, and the config wants float32{shape}")
        if n_bytes != prod(shape) * dtype.itemsize:
            raise WeightsError(f"{name} has {n_bytes} bytes, too few or too many for float32{shape}")
    return n_parameters


def read_into(view: Floats, archive: ZipFile, name: str) -> None:
    """Read that array of a checked archive. Raise WeightsError for numbers that are not finite."""
    with archive.open(f"{name}.npy") as file:
        view[...] = npy.read_array(file, allow_pickle=False)
    if not np.isfinite(view).all():
        raise WeightsError(f"{name} holds numbers that are not finite (NaN or infinity); take another copy")


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether it is in Fortran order, and dtype. Raise WeightsError for an unknown format."""
    version = npy.read_magic(file)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise WeightsError(f"an array has the unknown format {version}")
    return read(file)
