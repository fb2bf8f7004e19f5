"""Where tinychat keeps what belongs to the user."""

from pathlib import Path


def data_dir(override: str | Path | None = None) -> Path:
    """The user data directory of this platform, unless another is given; it need not exist yet."""
    if override is not None:
        return Path(override).expanduser()
    from platformdirs import user_data_path

    return user_data_path("tinychat", appauthor=False)


def models_dir(override: str | Path | None = None) -> Path:
    """Folder of the saved models, below `data_dir`."""
    return data_dir(override) / "models"
