"""Imports go one way, and nothing heavy is loaded before it is needed."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinychat

PACKAGE = Path(tinychat.__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}

FLOORS = {
    **dict.fromkeys(("errors", "wording", "config", "paths", "presets", "records"), 0),
    **dict.fromkeys(("flags", "config_file"), 0),
    **dict.fromkeys(("core", "tokenizer", "corpus"), 1),
    **dict.fromkeys(("training", "generation", "inspection", "weights", "model", "api"), 2),
    **dict.fromkeys(("cli", "commands", "tui", "__main__"), 3),
}
"""A module imports from its own floor and from those below. What is not listed is on the highest."""


def loaded_by(*arguments: str) -> set[str]:
    """Top-level names of all modules that a fresh Python has loaded after importing the arguments."""
    program = (
        "import importlib, json, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize(
    "module",
    [
        "tinychat.core",
        "tinychat.training.run",
        "tinychat.generation.session",
        "tinychat.inspection",
        "tinychat.weights.npz",
    ],
)
def test_training_needs_no_screen(module: str) -> None:
    loaded = loaded_by(module)
    assert "numpy" in loaded
    assert not loaded & {"textual", "rich"}


@pytest.mark.parametrize(
    "module",
    [
        "tinychat",
        "tinychat.config",
        "tinychat.presets",
        "tinychat.flags",
        "tinychat.config_file",
        "tinychat.tokenizer",
        "tinychat.corpus",
        "tinychat.weights.saved_models",
        "tinychat.commands.app",
    ],
)
def test_text_and_configs_need_no_numpy(module: str) -> None:
    loaded = loaded_by(module)
    assert "tinychat" in loaded
    assert not loaded & {"numpy", "textual", "rich"}


def test_help_needs_neither_numpy_nor_textual() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tinychat", "--help"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert "usage" in done.stdout.lower()
    assert "tinychat.cli" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"numpy", "textual"}


def test_the_app_starts_without_ssl_and_leaves_it_to_others() -> None:
    program = (
        "import sys\n"
        "from tinychat.commands.app import _left_out\n"
        "with _left_out('ssl'):\n"
        "    import tinychat.tui.app\n"
        "assert '_ssl' not in sys.modules and 'asyncio' in sys.modules\n"
        "import ssl\n"
        "with _left_out('ssl'):\n"
        "    assert sys.modules['ssl'] is ssl\n"
        "assert sys.modules['ssl'] is ssl\n"
    )
    subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, check=True)


def test_every_public_name_is_there() -> None:
    assert sorted(tinychat.__all__) == sorted(set(tinychat.__all__))
    for name in tinychat.__all__:
        assert getattr(tinychat, name).__class__
    with pytest.raises(AttributeError, match="nonsense"):
        _ = tinychat.nonsense


def sources() -> list[tuple[str, Path]]:
    """Dotted name and file of every module of the package."""
    files = sorted(PACKAGE.rglob("*.py"))
    names = [".".join(("tinychat", *file.relative_to(PACKAGE).with_suffix("").parts)) for file in files]
    return list(zip(names, files, strict=True))


def imports(file: Path) -> Iterator[str]:
    """Dotted names of everything that is imported anywhere in a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(module: str) -> str:
    """`tinychat.core.model` -> `core`."""
    return module.split(".")[1]


def test_the_modules_are_found() -> None:
    names = {name for name, _ in sources()}
    assert {"tinychat.core.model", "tinychat.corpus.readers", "tinychat.tokenizer.word"} <= names
    reader = imports(PACKAGE / "corpus" / "readers.py")
    assert {"csv", "tinychat.errors.CorpusError", "collections.abc.Iterator"} <= set(reader)


def test_imports_go_down() -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, file in sources()
        if name != "tinychat.__init__"  # imports lazily whatever it is asked for
        for imported in imports(file)
        if imported.startswith("tinychat.") and FLOORS.get(part(imported), 3) > FLOORS.get(part(name), 3)
    ]
    assert wrong == []


def test_the_core_imports_numpy_and_its_config_alone() -> None:
    allowed = {"numpy", *sys.stdlib_module_names}
    wrong = [
        f"{name} imports {imported}"
        for name, file in sources()
        if part(name) == "core"
        for imported in imports(file)
        if imported.partition(".")[0] not in allowed
        and not imported.startswith(("tinychat.config.", "tinychat.core."))
    ]
    assert wrong == []


def test_tokenizers_and_corpora_need_nothing_but_python() -> None:
    below = ("errors", "paths", "wording", "tokenizer", "corpus")
    wrong = [
        f"{name} imports {imported}"
        for name, file in sources()
        if part(name) in ("tokenizer", "corpus")
        for imported in imports(file)
        if imported.partition(".")[0] not in sys.stdlib_module_names
        and not imported.startswith(tuple(f"tinychat.{allowed}." for allowed in below))
    ]
    assert wrong == []


def test_only_the_screen_imports_textual() -> None:
    users = {
        part(name) for name, file in sources() if any(i.split(".")[0] == "textual" for i in imports(file))
    }
    assert users <= {"tui"}
