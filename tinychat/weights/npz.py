"""One .npz file a model: every parameter by name, the optimiser's moments, and a JSON description.

    metadata             JSON text: format version, config, tokenizer, card, kind and updates of the optimiser
    parameters/<name>    float32, one array a parameter
    optimizer/<name>     float32 of shape (P,), the state of the optimiser, if it is kept
    training/<name>      float32 of shape (P,), what else training has of that length: see model.EXTRAS

Nothing in a file is believed before it was checked against the config: no pickled objects, no names, shapes
or dtypes but the expected, no numbers that are not finite.
"""

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from threading import get_ident
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.errors import ConfigError, StorageError, TinychatError, WeightsError
from tinychat.model import EXTRAS, Model, ModelCard, recipe_of
from tinychat.paths import user_path
from tinychat.presets import Preset
from tinychat.records import from_json
from tinychat.tokenizer import Tokenizer, tokenizer_from_dict
from tinychat.training.optimizer import OPTIMIZERS, make_optimizer

FORMAT = "tinychat"
VERSION = 2


@dataclass(frozen=True)
class OptimizerRecord:
    """What the description says of an optimiser; its vectors are in the file."""

    kind: str
    updates: int

    def __post_init__(self) -> None:
        """Raise ConfigError for what no optimiser has."""
        if self.kind not in OPTIMIZERS:
            raise ConfigError(f"the optimiser must be {' or '.join(OPTIMIZERS)}, not {self.kind[:40]!r}")
        if self.updates < 0:
            raise ConfigError("the optimiser's update count must be at least 0")


@dataclass(frozen=True)
class Training:
    """What training needs besides the weights, as far as it is in the file."""

    optimizer: OptimizerRecord | None
    extras: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ConfigError for a name that is unknown, or there twice."""
        if not set(self.extras) <= set(EXTRAS) or len(set(self.extras)) < len(self.extras):
            raise ConfigError(f"extra vectors are {' and '.join(EXTRAS)}, each at most once")

    @property
    def vectors(self) -> list[str]:
        """Names of the arrays of shape (P,)."""
        state = () if self.optimizer is None else OPTIMIZERS[self.optimizer.kind].state_names
        return [f"optimizer/{name}" for name in state] + [f"training/{name}" for name in self.extras]


@dataclass(frozen=True)
class Summary:
    """What a file says of its model, read without the weights."""

    path: Path
    config: ModelConfig
    tokenizer: Tokenizer
    card: ModelCard
    training: Training
    n_parameters: int

    @property
    def recipe(self) -> Preset:
        return recipe_of(self.config, self.tokenizer, self.card)

    @property
    def updates(self) -> int | None:
        """Of the optimiser, if its state is in the file."""
        return None if self.training.optimizer is None else self.training.optimizer.updates


def place_to_save(path: str | Path) -> Path:
    """The path with its suffix, once it is certain that a file can be written there.

    What is there already is not touched. Raise StorageError if it cannot be.
    """
    path = _with_suffix(path)
    if path.is_dir():
        raise StorageError(f"{path} is a folder; give the name of a file")
    with _written_beside(path):
        pass
    return path


def save(model: Model, path: str | Path) -> Path:
    """Write `model` to `path`, whole or not at all. Raise StorageError if the place cannot be written to."""
    path = _with_suffix(path)
    for name, vector in model.extras.items():
        if name not in EXTRAS or vector.shape != (model.n_parameters,):
            raise ValueError(f"{name!r} of shape {vector.shape} is none of the extra vectors of this model")
    arrays: dict[str, Any] = {f"parameters/{name}": view for name, view in _views(model.transformer)}
    metadata: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "config": asdict(model.config),
        "tokenizer": model.tokenizer.to_dict(),
        "card": asdict(model.card),
        "optimizer": None,
        "extras": list(model.extras),
    }
    if model.optimizer is not None:
        arrays |= {f"optimizer/{name}": vector for name, vector in model.optimizer.state.items()}
        metadata["optimizer"] = {"kind": model.optimizer.kind, "updates": model.optimizer.updates}
    arrays |= {f"training/{name}": vector for name, vector in model.extras.items()}
    with _written_beside(path) as file:
        np.savez(file, metadata=np.array(json.dumps(metadata)), **arrays)
        file.flush()
        os.fsync(file.fileno())
        file.close()
        Path(file.name).replace(path)
    return path


def read_summary(path: str | Path) -> Summary:
    """Read and check the description alone. Raise WeightsError if there is none."""
    with _opened(user_path(path)) as archive:
        return _summary(archive)


def load(path: str | Path) -> Model:
    """Read and check a whole model. Raise WeightsError with what is wrong with the file."""
    with _opened(user_path(path)) as archive:
        summary = _summary(archive)
        transformer = Transformer(summary.config)
        for name, view in _views(transformer):
            _read_into(view, archive, f"parameters/{name}")
        optimizer = None
        if (record := summary.training.optimizer) is not None:
            optimizer = make_optimizer(record.kind, transformer.parameters)
            optimizer.updates = record.updates
            for name, vector in optimizer.state.items():
                _read_into(vector, archive, f"optimizer/{name}")
        extras = {name: np.zeros_like(transformer.parameters.values) for name in summary.training.extras}
        for name, vector in extras.items():
            _read_into(vector, archive, f"training/{name}")
    return Model(transformer, summary.tokenizer, summary.card, optimizer, extras)


def _views(transformer: Transformer) -> Iterator[tuple[str, Floats]]:
    return transformer.parameters.views(transformer.parameters.values)


def _with_suffix(path: str | Path) -> Path:
    path = user_path(path)
    if not path.name or path.name == "..":
        raise StorageError(f"{str(path)!r} has no file name; give one")
    return path if path.suffix == ".npz" else path.with_name(path.name + ".npz")


@contextmanager
def _written_beside(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file in the folder of `path`, to be moved to its place when it is whole, or removed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; choose another place with --data-dir or --out"
        ) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, with everything that can be wrong about it turned into a WeightsError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except TinychatError as error:
        raise WeightsError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise WeightsError(f"{path} is not there; check the name, or train a model first") from None
    except zipfile.BadZipFile:
        raise WeightsError(f"{path} is not a whole .npz file, or was cut short; take another copy") from None
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from None
    except Exception as error:  # damage shows itself in as many ways as there are parsers in between
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{path} is not a weights file of tinychat, or is damaged: {reason}") from None


def _summary(archive: zipfile.ZipFile) -> Summary:
    metadata = _metadata(archive)
    kept = {part: metadata[part] for part in ("optimizer", "extras")}
    try:
        config, card = from_json(ModelConfig, metadata["config"]), from_json(ModelCard, metadata["card"])
        training = from_json(Training, kept)
    except ConfigError as error:
        raise WeightsError(f"the description is damaged: {error}") from None
    tokenizer = tokenizer_from_dict(metadata["tokenizer"])
    if tokenizer.vocab_size != config.vocab_size:
        raise WeightsError(
            f"the tokenizer has {tokenizer.vocab_size} tokens, but the model {config.vocab_size}"
        )
    n_parameters = _check_arrays(archive, config, training.vectors)
    return Summary(Path(str(archive.filename)), config, tokenizer, card, training, n_parameters)


def _metadata(archive: zipfile.ZipFile) -> dict[str, Any]:
    """The description as JSON has it, of our format and with all the parts of this version."""
    if "metadata.npy" not in archive.namelist():
        raise WeightsError("not a weights file of tinychat; train and save with tinychat")
    with archive.open("metadata.npy") as file:
        _, _, dtype = _header(file)
        if dtype.itemsize > archive.getinfo("metadata.npy").file_size:
            raise WeightsError("the description is shorter than it says; take another copy")
    with archive.open("metadata.npy") as file:
        metadata: Any = json.loads(str(npy.read_array(file, allow_pickle=False)))
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise WeightsError("not a weights file of tinychat; train and save with tinychat")
    described = _upgraded(metadata)
    if described.get("version") != VERSION:
        raise WeightsError(
            f"has format version {metadata.get('version')!r}, and this tinychat reads version {VERSION}; "
            "use the tinychat that wrote it, or train anew"
        )
    if not all(isinstance(described.get(part), dict) for part in ("config", "tokenizer", "card")):
        raise WeightsError("the description is damaged: config, tokenizer or card is missing")
    if not described.keys() >= {"optimizer", "extras"}:
        raise WeightsError("the description is damaged: the state of the training is missing")
    return described


def _upgraded(metadata: dict[str, Any]) -> dict[str, Any]:
    """A description of version 1, which knew no optimiser but Adam, as of version 2; any other as it is."""
    if metadata.get("version") != 1 or "updates" not in metadata:
        return metadata
    updates = metadata["updates"]
    optimizer = None if updates is None else {"kind": "adam", "updates": updates}
    return {**metadata, "version": 2, "optimizer": optimizer, "extras": []}


def _check_arrays(archive: zipfile.ZipFile, config: ModelConfig, vectors: list[str]) -> int:
    """Compare names, shapes, dtypes and sizes with those of `config`; return the number of parameters.

    From the headers alone: nothing is allocated that the file does not hold.
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
            found_shape, fortran, dtype = _header(file)
            n_bytes = archive.getinfo(f"{name}.npy").file_size - file.tell()
        if found_shape != shape or dtype != np.float32 or fortran:
            raise WeightsError(f"{name} is {dtype}{found_shape}, and the config wants float32{shape}")
        if n_bytes != prod(shape) * dtype.itemsize:
            raise WeightsError(f"{name} has {n_bytes} bytes, too few or too many for float32{shape}")
    return n_parameters


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise WeightsError(f"an array has the unknown format {version}")
    return read(file)


def _read_into(view: Floats, archive: zipfile.ZipFile, name: str) -> None:
    with archive.open(f"{name}.npy") as file:
        view[...] = npy.read_array(file, allow_pickle=False)
    if not np.isfinite(view).all():
        raise WeightsError(f"{name} holds numbers that are not finite (NaN or infinity); take another copy")
