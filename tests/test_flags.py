"""The flags of a recipe: every field has one, and what it takes reaches the recipe."""

import argparse
import re
from dataclasses import fields
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.cli import build_parser
from tinychat.config import TOKENIZERS, ModelConfig, TrainConfig
from tinychat.flags import add_recipe, add_tokenizer, number, whole
from tinychat.presets import MODEL_FIELDS, PHASES, PRESETS, RECIPE_FIELDS, TRAIN_FIELDS

KINDS = {
    field: kind for config in (ModelConfig, TrainConfig) for field, kind in get_type_hints(config).items()
}
FIELDS = (*MODEL_FIELDS, *TRAIN_FIELDS)


class Refused(Exception):  # noqa: N818
    """What the parser would have told."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refused(message)


def recipe_parser(is_told: bool = True) -> argparse.ArgumentParser:
    parser = _Parser(prog="t", argument_default=argparse.SUPPRESS)
    add_recipe(parser, is_told)
    return parser


PARSER = recipe_parser()


def parsed(*arguments: str) -> dict[str, Any]:
    return vars(PARSER.parse_args(arguments))


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def kind_of(name: str) -> Any:
    return KINDS[name.removeprefix("pretrain_").removeprefix("tune_")]


def samples(kind: Any) -> dict[tuple[str, ...], Any]:
    """What stands behind the flag -> the value that it means."""
    if get_origin(kind) is Literal:
        return {(value,): value for value in get_args(kind)}
    if get_origin(kind) is tuple:
        return {("full",): ("full",), ("full, sliding,",): ("full", "sliding"), ("",): ()}
    numbers: dict[Any, dict[tuple[str, ...], Any]] = {
        int: {("7",): 7, ("0",): 0},
        float: {("0.25",): 0.25, ("1e-3",): 0.001, ("3",): 3.0},
    }
    if kind in numbers:
        return numbers[kind]
    return {**numbers[get_args(kind)[0]], ("none",): None}


def wrong(kind: Any) -> list[str]:
    if get_origin(kind) is tuple:
        return []  # the config says what a list may hold
    return ["x", "1.5", "-1", ""] if kind is int else ["x", "", "0,5"]


# Every field


def test_every_part_of_a_recipe_has_a_flag() -> None:
    names = {action.dest for action in PARSER._actions} - {"help"}
    assert names == {"preset", *RECIPE_FIELDS}
    options = {option for action in PARSER._actions for option in action.option_strings}
    assert {flag(name) for name in RECIPE_FIELDS} <= options


def test_every_field_is_explained() -> None:
    help_ = PARSER.format_help()
    for name in FIELDS:
        found = re.search(rf"^  {flag(name)}[ ,\n](?:.*\n(?: {{10,}}.*\n)*)", help_, re.MULTILINE)
        assert found, f"{flag(name)} is not in the help"
        told = found[0].replace("-", " ")
        [action] = [action for action in PARSER._actions if action.dest == name]
        assert action.help, name
        assert " ".join(action.help.replace("-", " ").split()[:2]) in " ".join(told.split()), name


def test_no_two_fields_are_explained_alike() -> None:
    helps = [action.help for action in PARSER._actions if action.dest in FIELDS]
    assert len(helps) == len(set(helps)) == len(FIELDS)


def test_the_flags_of_one_phase_are_told_once_not_one_by_one() -> None:
    help_ = PARSER.format_help()
    assert "--pretrain-…" in help_
    assert "--tune-…" in help_
    assert "--tune-epochs" in help_
    assert "--tune-beta1" not in help_


def test_untold_flags_are_taken_all_the_same() -> None:
    parser = recipe_parser(is_told=False)
    assert "--n-heads" not in parser.format_help()
    assert "--tune-lr" not in parser.format_help()
    assert "--vocab-size" not in parser.format_help()
    assert "--preset" in parser.format_help()
    assert vars(parser.parse_args(["--n-heads", "4", "--tune-lr", "0.5"])) == {"n_heads": 4, "tune_lr": 0.5}


def test_the_program_tells_all_of_them_under_train_alone(capsys: pytest.CaptureFixture[str]) -> None:
    helps = []
    for arguments in (["--help"], ["train", "--help"]):
        with pytest.raises(SystemExit) as left:
            build_parser().parse_args(arguments)
        assert left.value.code == 0
        helps.append(capsys.readouterr().out)
    for name in FIELDS:
        assert flag(name) in helps[1]
    assert "--n-layers" not in helps[0]


# Values


def test_without_flags_nothing_is_set() -> None:
    assert parsed() == {}


OF_A_CONFIG = [name for name in RECIPE_FIELDS if name not in ("tokenizer", "vocab_size")]


def test_values_are_read_as_what_the_field_holds() -> None:
    for name in OF_A_CONFIG:
        kind = kind_of(name)
        if kind is bool:
            assert parsed(flag(name)) == {name: True}
            assert parsed(f"--no-{flag(name)[2:]}") == {name: False}
            continue
        for arguments, value in samples(kind).items():
            found = parsed(flag(name), *arguments)
            assert found == {name: value}
            assert type(found[name]) is type(value), name


def test_wrong_values_are_refused_by_the_name_of_the_flag() -> None:
    for name in OF_A_CONFIG:
        kind = kind_of(name)
        for text in ["1"] if kind is bool else wrong(kind):
            given = f"{flag(name)}={text}"
            told = refusal(given)
            assert told is not None, given
            assert flag(name) in told, given
            assert text in told, given


def refusal(*arguments: str) -> str | None:
    try:
        parsed(*arguments)
    except Refused as refused:
        return str(refused)
    return None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--n-heads", "four"], "invalid whole number value: 'four'"),
        (["--n-heads", "-4"], "invalid whole number value: '-4'"),
        (["--lr", "fast"], "invalid number value: 'fast'"),
        (["--sliding-window", "wide"], "invalid int or none value: 'wide'"),
        (["--logit-softcap", "soft"], "invalid float or none value: 'soft'"),
        (["--norm", "batchnorm"], "layernorm"),
        (["--tune-optimizer", "lion"], "adamw"),
        (["--tokenizer", "morse"], "bpe"),
        (["--preset", "baroque"], "modern"),
        (["--lr"], "expected one argument"),
    ],
)
def test_a_refusal_says_what_is_wrong(arguments: list[str], told: str) -> None:
    with pytest.raises(Refused, match=arguments[0]) as caught:
        parsed(*arguments)
    assert told in str(caught.value)


@given(st.integers(0, 10**12))
def test_whole_numbers(value: int) -> None:
    assert whole(str(value)) == value
    with pytest.raises(ValueError, match=r"^$"):
        whole(str(-1 - value))


@given(st.floats(allow_nan=False))
def test_numbers(value: float) -> None:
    assert number(repr(value)) == value


# What they change


def test_flags_reach_the_recipe() -> None:
    changes = parsed(
        *("--n-heads", "4", "--norm", "rmsnorm", "--gated", "--no-bias", "--logit-softcap", "30"),
        *("--layer-types", "full,sliding,full", "--sliding-window", "8", "--lr", "0.5", "--tune-lr", "0.25"),
        *("--pretrain-optimizer", "sgd", "--tune-mask-prompt", "--tokenizer", "bpe", "--vocab-size", "300"),
    )
    recipe = PRESETS["classic"].changed(changes)
    config = recipe.model_config(300)
    assert (config.n_heads, config.n_kv_heads, config.head_dim) == (4, 4, 32)
    assert (config.norm, config.gated, config.bias, config.logit_softcap) == ("rmsnorm", True, False, 30.0)
    assert (config.layer_types, config.sliding_window) == (("full", "sliding", "full"), 8)
    assert (recipe.pretrain.lr, recipe.tune.lr) == (0.5, 0.25)
    assert (recipe.pretrain.optimizer, recipe.tune.optimizer) == ("sgd", "adam")
    assert (recipe.pretrain.mask_prompt, recipe.tune.mask_prompt) == (False, True)
    assert (recipe.tokenizer, recipe.vocab_size) == ("bpe", 300)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_value_of_a_preset_can_be_given_by_its_flag(preset: str) -> None:
    """From the other preset, all flags together lead to this one."""
    goal = PRESETS[preset]
    values = {name: getattr(goal.model_config(2), name) for name in MODEL_FIELDS}
    values |= {
        f"{phase}_{name}": getattr(getattr(goal, phase), name) for phase in PHASES for name in TRAIN_FIELDS
    }
    arguments = []
    for name, value in values.items():
        if isinstance(value, bool):
            arguments.append(flag(name) if value else f"--no-{flag(name)[2:]}")
        elif isinstance(value, tuple):
            arguments.append(f"{flag(name)}={','.join(value)}")
        else:
            arguments.append(f"{flag(name)}={'none' if value is None else value}")
    for start in PRESETS.values():
        found = start.changed(parsed(*arguments))
        assert found.model_config(50) == goal.model_config(50)
        assert (found.pretrain, found.tune) == (goal.pretrain, goal.tune)


# Tokenizers alone


def test_the_flags_of_a_tokenizer() -> None:
    parser = _Parser(prog="t")
    add_tokenizer(parser)
    assert vars(parser.parse_args([])) == {}
    for kind in TOKENIZERS:
        assert vars(parser.parse_args(["--tokenizer", kind])) == {"tokenizer": kind}
    assert vars(parser.parse_args(["--vocab-size", "300"])) == {"vocab_size": 300}
    assert "--vocab-size" in parser.format_help()
    with pytest.raises(Refused, match="--vocab-size"):
        parser.parse_args(["--vocab-size", "many"])


def test_only_fields_have_flags() -> None:
    assert {field.name for field in fields(ModelConfig)} - set(MODEL_FIELDS) == {"vocab_size"}
    with pytest.raises(Refused, match="--warm-down"):
        parsed("--warm-down", "0.1")
