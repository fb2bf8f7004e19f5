"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_ident
from typing import IO

from tinychat.errors import StorageError
from tinychat.paths import user_path


def place_to_save(path: str | Path) -> Path:
    """The path with its suffix, once it is certain that a file can be written there.

    What is there already is not touched. Raise StorageError if it cannot be.
    """
    path = with_suffix(path)
    if path.is_dir():
        raise StorageError(f"{path} is a folder; give the name of a file")
    with written_beside(path):
        pass
    return path


def with_suffix(path: str | Path) -> Path:
    """The path of an .npz file, `.npz` added where it is missing. Raise StorageError if it has no name."""
    path = user_path(path)
    if not path.name or path.name == "..":
        raise StorageError(f"{str(path)!r} has no file name; give one")
    return path if path.suffix == ".npz" else path.with_name(path.name + ".npz")


@contextmanager
def written_beside(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file in the folder of `path`, to be moved to its place when it is whole, or removed.

    Raise StorageError, with what to do, where it cannot be written.
    """
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
