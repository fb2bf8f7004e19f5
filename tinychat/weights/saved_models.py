"""The saved models of a user: files by name in one folder."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tinychat.errors import StorageError, UsageError, WeightsError
from tinychat.paths import user_path

if TYPE_CHECKING:
    from tinychat.model import ModelCard
    from tinychat.weights.description import Summary

LATEST = "latest"
"""Name that stands for the file written last."""


class Library:
    """A folder of .npz files. It is created when something is first saved into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, name: str) -> Path:
        """Path of a file, of a saved model by name, or of the `latest`; WeightsError if there is none."""
        path = user_path(name)
        if _is_file(path):
            return path
        paths = self._paths()
        if name == LATEST and paths:
            return paths[0]
        for candidate in (self.folder / name, self.folder / f"{name}.npz"):
            if _is_file(candidate):
                return candidate
        names = ", ".join(path.stem for path in paths) or "none yet"
        raise WeightsError(f"no file and no saved model is called {name!r}; saved models: {names}")

    def summaries(self) -> "tuple[list[Summary], list[Path]]":
        """What every model says of itself, the one written last first; and the files that cannot be read."""
        from tinychat.weights.npz import read_summary

        found, unreadable = [], []
        for path in self._paths():
            try:
                found.append(read_summary(path))
            except WeightsError:
                unreadable.append(path)
        return found, unreadable

    def path_for(self, name: str) -> Path:
        """Where to save a model of this name; raise UsageError if it cannot be the name of a file."""
        name = name.strip().removesuffix(".npz")
        if (
            not name
            or name.startswith(".")
            or re.search(r'[\\/:*?"<>|\x00-\x1f]', name)
            or len(name.encode()) > 100
        ):
            which = repr(name) if name.strip() else "an empty name"
            raise UsageError(f"{which} cannot be the name of a file; use letters, digits, spaces and dashes")
        return self.folder / f"{name}.npz"

    def new_path(self, card: "ModelCard") -> Path:
        """A free name for a new model: corpus, preset and seed, and a number if that is taken."""
        stem = re.sub(r"\W+", "-", f"{card.corpus[:20]}-{card.preset}-seed{card.seed}").strip("-")[:80]
        number = 1
        while True:
            path = self.folder / (f"{stem}.npz" if number == 1 else f"{stem}-{number}.npz")
            if not os.path.lexists(path):  # a link that leads nowhere takes a name as well
                return path
            number += 1

    def reserve(self, card: "ModelCard") -> Path:
        """As `new_path`, and keep the name from other programs by an empty file, until a model is saved.

        Raises StorageError, with what to do, where no model can be saved.
        """
        self.check_writable()
        while True:
            path = self.new_path(card)
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                continue
            except OSError as error:
                raise StorageError(
                    f"cannot write {path}: {error.strerror}; choose another folder with --data-dir"
                ) from None
            return path

    def check_writable(self) -> None:
        """Raise StorageError, with what to do, unless a model can be saved here."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".writable"
            probe.touch()
            probe.unlink(missing_ok=True)  # another program may look at the same time
        except OSError as error:
            raise StorageError(
                f"cannot write to {self.folder}: {error.strerror}; choose another folder with --data-dir"
            ) from None

    def _paths(self) -> list[Path]:
        with suppress(OSError):
            # An empty file is only a name that is reserved.
            files = [path for path in self.folder.glob("*.npz") if path.is_file() and path.stat().st_size]
            return sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no right to look
        return False
