"""One .npz file a model: every parameter by name, the optimiser's moments, and a JSON description.

    metadata             JSON text: format version, config, tokenizer, card, kind and updates of the optimiser
    parameters/<name>    float32, one array a parameter
    optimizer/<name>     float32 of shape (P,), the state of the optimiser, if it is kept
    training/<name>      float32 of shape (P,), what else training has of that length: see model.EXTRAS

Nothing in a file is believed before it was checked against the config: no pickled objects, no names, shapes
or dtypes but the expected, no numbers that are not finite.
"""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.errors import TinychatError, WeightsError
from tinychat.model import EXTRAS, Model
from tinychat.paths import user_path
from tinychat.training.optimizer import make_optimizer
from tinychat.weights.arrays import read_into
from tinychat.weights.description import Summary, describe, summary_of
from tinychat.weights.writing import with_suffix, written_beside


def save(model: Model, path: str | Path) -> Path:
    """Write `model` to `path`, whole or not at all. Raise StorageError if the place cannot be written to."""
    path = with_suffix(path)
    for name, vector in model.extras.items():
        if name not in EXTRAS or vector.shape != (model.n_parameters,):
            raise ValueError(f"{name!r} of shape {vector.shape} is none of the extra vectors of this model")
    arrays: dict[str, Any] = {f"parameters/{name}": view for name, view in _views(model.transformer)}
    if model.optimizer is not None:
        arrays |= {f"optimizer/{name}": vector for name, vector in model.optimizer.state.items()}
    arrays |= {f"training/{name}": vector for name, vector in model.extras.items()}
    description = np.array(describe(model))
    with written_beside(path) as file:
        np.savez(file, metadata=description, **arrays)
        file.flush()
        os.fsync(file.fileno())
        file.close()
        Path(file.name).replace(path)
    return path


def read_summary(path: str | Path) -> Summary:
    """Read and check the description alone. Raise WeightsError if there is none."""
    with _opened(user_path(path)) as archive:
        return summary_of(archive)


def load(path: str | Path) -> Model:
    """Read and check a whole model. Raise WeightsError with what is wrong with the file."""
    with _opened(user_path(path)) as archive:
        summary = summary_of(archive)
        transformer = Transformer(summary.config)
        for name, view in _views(transformer):
            read_into(view, archive, f"parameters/{name}")
        optimizer = None
        if (record := summary.training.optimizer) is not None:
            optimizer = make_optimizer(record.kind, transformer.parameters)
            optimizer.updates = record.updates
            for name, vector in optimizer.state.items():
                read_into(vector, archive, f"optimizer/{name}")
        extras = {name: np.zeros_like(transformer.parameters.values) for name in summary.training.extras}
        for name, vector in extras.items():
            read_into(vector, archive, f"training/{name}")
    return Model(transformer, summary.tokenizer, summary.card, optimizer, extras)


def _views(transformer: Transformer) -> Iterator[tuple[str, Floats]]:
    return transformer.parameters.views(transformer.parameters.values)


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
