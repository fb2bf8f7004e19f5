"""A recipe as the program makes it of a file."""

from pathlib import Path

from tinychat.cli import RUN, build_parser, main
from tinychat.config_file import read_flags
from tinychat.presets import RECIPE_FIELDS, Preset, preset


def read_again(text: str, path: Path) -> Preset:
    """The recipe that the program makes of a file."""
    path.write_text(text, encoding="utf-8")
    args = vars(build_parser().parse_args(["train", *read_flags(path, RUN)]))
    changes = {name: args[name] for name in RECIPE_FIELDS if name in args}
    return preset(args.get("preset", "classic")).changed(changes)


def assert_same(found: Preset, wanted: Preset) -> None:
    assert found.model_config(50) == wanted.model_config(50)
    assert (found.pretrain, found.tune) == (wanted.pretrain, wanted.tune)
    assert found.tokenizer == wanted.tokenizer
    if wanted.tokenizer == "bpe":
        assert found.vocab_size == wanted.vocab_size


def train(*arguments: str) -> int:
    try:
        return main(["train", "--config", "recipe.toml", *arguments])
    except SystemExit as left:
        return int(left.code or 0)
