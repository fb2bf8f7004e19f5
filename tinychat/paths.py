"""Paths as users give them, and where tinychat keeps what belongs to the user."""

from pathlib import Path

from tinychat.errors import UsageError


def user_path(text: str | Path) -> Path:
    """The path that a user means, `~` expanded; raise UsageError if no file can have it."""
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long, nobody's ~home, a NUL character
        raise UsageError(f"{str(text)[:80]!r} cannot be a path: {error}; check its spelling") from None
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
