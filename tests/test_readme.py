"""What the README says is there: files, commands with their flags, keys, and the examples in Python."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from small_models import untrained
from textual.binding import Binding

import tinychat
from tinychat.cli import _refuse_flags_of_others, build_parser
from tinychat.model import Model
from tinychat.tokenizer.word import WordTokenizer
from tinychat.training.events import Event
from tinychat.tui.app import TinychatApp
from tinychat.tui.keys import CHAT
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.widgets.prompt import Prompt

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"`(tinychat [^`…]* [^`…]*)`", README)))
"""Without those of which only the name is said, or the end."""


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_there_are_commands_to_be_tried() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("text", COMMANDS)
def test_the_program_takes_every_command(text: str) -> None:
    """Also with the flags that stand in brackets."""
    words = shlex.split(text.replace("[", "").replace("]", "").replace(" N ", " 1 "))[1:]
    if "--help" in words:
        with pytest.raises(SystemExit, match="0"):
            build_parser(words).parse_args(words)
    else:
        _refuse_flags_of_others(build_parser(words).parse_args(words))


@pytest.mark.parametrize("path", sorted({*re.findall(r"\]\(([\w./-]+)\)", README)}))
def test_every_link_leads_to_something(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", sorted({*re.findall(r"`(?:python tests/benchmarks/)?(\w+\.py)\b", README)}))
def test_every_script_is_there(name: str) -> None:
    assert (ROOT / "tests/benchmarks" / name).exists()


def test_keys_with_names_are_those_of_the_screens() -> None:
    """F1 to F12 and those with Ctrl, in both directions."""
    bound = {TinychatApp.COMMAND_PALETTE_BINDING} | {
        key
        for binding in (*CHAT, *TinychatApp.BINDINGS, *TrainingScreen.BINDINGS, *Prompt.BINDINGS)
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    }
    told = re.findall(r"\bF\d+\b|\bCtrl\+[A-Z]\b", section("Keys"))
    assert {key.lower() for key in told} == {key for key in bound if re.fullmatch(r"f\d+|ctrl\+[a-z]", key)}


def test_the_examples_in_python_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a model that was not trained: that takes its time."""
    monkeypatch.chdir(tmp_path)
    corpus = tinychat.load_corpus("basics")
    questions = [dialogue[0].user for dialogue in corpus.dialogues]
    trained = untrained(WordTokenizer.train(questions), questions, questions[0], max_seq_len=40)
    asked: list[str] = []

    def train(corpus: str, preset: str, seed: int, on_event: Callable[[Event], None]) -> Model:
        asked.append(corpus)
        return trained

    monkeypatch.setattr(tinychat, "train", train)
    examples = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, "README.md", "exec"), names)
    assert len(examples) == 2
    assert asked == ["basics"]
    assert (tmp_path / "mountains.npz").exists()
    n_layers, n_heads = trained.config.n_layers, trained.config.n_heads
    assert f"({n_layers}, {n_heads}, " in capsys.readouterr().out
