"""tinychat from Python: its names, asking, saving and loading."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from short_runs import ANSWERS, CORPUS, short, values

import tinychat
from tinychat.corpus import Turn
from tinychat.errors import CorpusError, StorageError, UsageError, WeightsError
from tinychat.training.events import EpochDone


@pytest.fixture(scope="module")
def learned() -> tinychat.Model:
    """It knows all three answers."""
    return tinychat.train(CORPUS, pretrain_epochs=20, tune_epochs=60)


# Names


@pytest.mark.parametrize("name", ["train", "PRESETS", "ChatSession", "Model", "TrainingRun"])
def test_a_public_name_alone(name: str) -> None:
    """In a fresh Python, where nothing else has loaded its home yet."""
    program = (
        f"import sys, tinychat; value = tinychat.{name}; from tinychat import {name}; assert value is {name}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_names_are_what_they_seem() -> None:
    assert all(hasattr(tinychat, name) for name in tinychat.__all__)
    assert "classic" in tinychat.PRESETS
    assert all(isinstance(preset, tinychat.Preset) for preset in tinychat.PRESETS.values())
    assert isinstance(tinychat.load_corpus("basics"), tinychat.Corpus)
    assert tinychat.ModelConfig(vocab_size=3).vocab_size == 3
    assert tinychat.TrainConfig(epochs=3).epochs == 3
    assert {UsageError, CorpusError, WeightsError, StorageError} <= set(
        tinychat.TinychatError.__subclasses__()
    )


def test_a_star_import_brings_exactly_the_public_names() -> None:
    found: dict[str, object] = {}
    exec("from tinychat import *", found)
    assert set(found) - {"__builtins__"} == set(tinychat.__all__)


def test_other_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = tinychat.nonsense
    with pytest.raises(ImportError):
        exec("from tinychat import nonsense")


# Training


def test_a_model_learns_its_corpus(learned: tinychat.Model) -> None:
    for question, answer in ANSWERS.items():
        assert learned.ask(question) == answer
    found = learned.evaluate(CORPUS)
    assert (found.exact, found.dialogues) == (3, 3)
    assert found.loss < short().evaluate(CORPUS).loss


# Asking


def test_a_reply_is_written_token_by_token(learned: tinychat.Model) -> None:
    reply = learned.reply("Who shines?")
    texts = list(reply)
    assert len(texts) == len(reply.ids) > 1
    assert texts[-1] == reply.text == "The sun."
    assert all(longer.startswith(shorter) for shorter, longer in pairwise(texts))
    assert learned.reply("What [x] falls?").unknown_words == ["[", "x", "]"]


@pytest.mark.parametrize("prompt", ["", "  ", "\n"])
def test_an_empty_prompt(learned: tinychat.Model, prompt: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        learned.ask(prompt)
    with pytest.raises(UsageError, match="empty"):
        learned.reply(prompt)


def test_asking_changes_nothing(learned: tinychat.Model) -> None:
    before = values(learned)
    assert learned.ask("What falls?") == learned.ask("What falls?")
    assert values(learned) == before


def test_a_session(learned: tinychat.Model) -> None:
    session = tinychat.ChatSession(learned)
    reply = session.ask("Who shines?")
    assert reply.finish() == "The sun."
    session.remember(reply)
    assert session.turns == [Turn("Who shines?", "The sun.")]


# Saving and loading


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


def test_what_was_saved_is_what_is_loaded(learned: tinychat.Model, tmp_path: Path) -> None:
    path = learned.save(tmp_path / "new" / "m.npz")
    assert path == tmp_path / "new" / "m.npz"
    for source in (path, str(path)):
        model = tinychat.load(source)
        assert isinstance(model, tinychat.Model)
        assert values(model) == values(learned)
        assert model.card == learned.card
        assert model.ask("What falls?") == "Rain falls."
        assert model.evaluate(CORPUS) == learned.evaluate(CORPUS)


def test_the_suffix_is_added_and_told(learned: tinychat.Model, tmp_path: Path) -> None:
    path = learned.save(str(tmp_path / "m.v2"))
    assert path == tmp_path / "m.v2.npz"
    assert [file.name for file in tmp_path.iterdir()] == ["m.v2.npz"]


def test_a_tilde_is_the_home_folder(learned: tinychat.Model, home: Path) -> None:
    assert learned.save("~/m.npz") == home / "m.npz"
    assert values(tinychat.load("~/m.npz")) == values(learned)


def test_a_loaded_model_can_be_trained_on(learned: tinychat.Model, tmp_path: Path) -> None:
    run = tinychat.TrainingRun(tinychat.load(learned.save(tmp_path / "m.npz")), CORPUS)
    run.extend(1)
    events = list(run.run())
    assert [event.epoch for event in events if isinstance(event, EpochDone)] == [61]


def test_errors_of_files(learned: tinychat.Model, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nothing\.npz"):
        tinychat.load(tmp_path / "nothing.npz")
    with pytest.raises(WeightsError, match="basics"):
        tinychat.load("basics")
    (tmp_path / "regular").write_text("")
    with pytest.raises(WeightsError, match="regular"):
        tinychat.load(tmp_path / "regular")
    with pytest.raises(StorageError, match="below"):
        learned.save(tmp_path / "regular" / "below.npz")


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_saving_under_no_name(learned: tinychat.Model, name: str) -> None:
    with pytest.raises(tinychat.TinychatError):
        learned.save(name)
