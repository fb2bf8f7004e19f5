"""Corpora by name or path."""

from pathlib import Path
from typing import TYPE_CHECKING

from tinychat.errors import CorpusError, UsageError
from tinychat.paths import user_path

if TYPE_CHECKING:
    from tinychat.corpus.corpus import Corpus

DEFAULT = "basics"


def _folder() -> Path:
    """Inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "corpora"
    return installed if installed.is_dir() else package.parent / "corpora"


def bundled_corpora() -> dict[str, Path]:
    """Name -> folder of every corpus that comes with the package."""
    return {path.name: path for path in sorted(_folder().iterdir()) if path.is_dir()}


def find_corpus(source: str | Path = DEFAULT) -> Path:
    """The folder of a bundled corpus, or the file or folder at a path; CorpusError if nothing is there."""
    bundled = bundled_corpora()
    if str(source) in bundled:
        return bundled[str(source)]
    try:
        path = user_path(source)
    except UsageError as error:
        raise CorpusError(str(error)) from None
    if not path.exists():
        raise CorpusError(
            f"no corpus at {path}: give a file, a folder, or one of the bundled names: {', '.join(bundled)}"
        )
    return path


def load_corpus(source: str | Path = DEFAULT) -> "Corpus":
    """Read a bundled corpus by name, or a file or folder by path.

    A folder has `pretraining.*` and `chat.*`, either of them alone being enough; each, like a single file,
    is .txt, .json, .jsonl or .csv. Raise CorpusError with what to mend if nothing can be read.
    """
    from tinychat.corpus.readers import read_path

    path = find_corpus(source)
    if str(source) in bundled_corpora():
        return read_path(path, name=str(source), source=str(source))
    return read_path(path, name=_name(path.resolve()), source=str(path.resolve()))


def _name(path: Path) -> str:
    return (path.name if path.is_dir() else path.stem) or "corpus"
