"""Files to read."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file, text as UTF-8 and its line ends as they are; return its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture(scope="session")
def rustgpt() -> Path:
    """The folder with RustGPT's own training files."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "rustgpt"
    if not folder.is_dir():
        pytest.skip("RustGPT's training files are not in ../shared/data/rustgpt")
    return folder
