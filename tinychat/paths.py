"""Paths as users give them, and where tinychat keeps what belongs to the user."""

from errno import ENAMETOOLONG
from pathlib import Path

from tinychat.errors import UsageError


def user_path(text: str | Path) -> Path:
    """The path that a user means, `~` expanded; raise UsageError if no file can have it."""
    reason = "it has a NUL character" if "\0" in str(text) else ""
    try:
        path = Path(text).expanduser()
        path.exists()
    except RuntimeError:
        reason = "nobody has such a home"
    except OSError as error:
        reason = "it is too long" if error.errno == ENAMETOOLONG else ""
    except ValueError as error:
        reason = str(error)
    if reason:
        raise UsageError(f"{str(text)[:80]!r} cannot be a path: {reason}; check its spelling")
    return path


def data_dir(override: str | Path | None = None) -> Path:
    """The user data directory of this platform, unless another is given; it need not exist yet."""
    if override is not None:
        return user_path(override)
    from platformdirs import user_data_path

    return user_data_path("tinychat", appauthor=False)


def models_dir(override: str | Path | None = None) -> Path:
    """Folder of the saved models, below `data_dir`."""
    return data_dir(override) / "models"
