"""`tinychat.train`: corpora, changes, seeds, listeners and errors."""

from pathlib import Path

import numpy as np
import pytest
from short_runs import ANSWERS, CORPUS, FACTS, short, values

import tinychat
from tinychat.core.model import Transformer
from tinychat.errors import ConfigError, CorpusError, TrainingDivergedError, UsageError
from tinychat.training.events import EpochDone, Event, Finished, PhaseStarted, StepDone


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same corpus as files."""
    folder = tmp_path / "weather"
    folder.mkdir()
    (folder / "pretraining.txt").write_text("\n".join(FACTS), encoding="utf-8")
    chat = "\n\n".join(f"User: {question}\nAssistant: {answer}" for question, answer in ANSWERS.items())
    (folder / "chat.txt").write_text(chat, encoding="utf-8")
    return folder


def test_a_corpus_comes_as_itself_as_a_path_and_as_a_string(folder: Path) -> None:
    models = [short(CORPUS), short(folder), short(str(folder)), short(tinychat.load_corpus(folder))]
    assert len({values(model) for model in models}) == 1
    assert {model.card.corpus for model in models} == {"weather"}


def test_a_corpus_comes_by_name() -> None:
    model = tinychat.train("basics", pretrain_epochs=0, tune_epochs=0)
    assert model.card.corpus_fingerprint == tinychat.load_corpus("basics").fingerprint
    default = tinychat.train(pretrain_epochs=0, tune_epochs=0)
    assert default.card.corpus == "basics"
    assert values(default) == values(model)


def test_a_single_file_is_enough(folder: Path) -> None:
    model = short(folder / "pretraining.txt")
    assert list(model.card.progress) == ["pretrain"]
    assert not model.card.is_chat


def test_epochs_preset_and_seed_are_those_that_were_given() -> None:
    model = tinychat.train(CORPUS, "classic", 7, pretrain_epochs=2, tune_epochs=1)
    assert (model.card.preset, model.card.seed) == ("classic", 7)
    assert {phase: progress.epoch for phase, progress in model.card.progress.items()} == {
        "pretrain": 2,
        "tune": 1,
    }
    assert model.card.is_finished


def test_changes_are_named_as_the_flags_are() -> None:
    model = short(n_layers=1, n_heads=2, d_model=16, d_ff=8, lr=0.5, tune_lr=0.25, tokenizer="char")
    config = model.config
    assert (config.n_layers, config.n_heads, config.d_model, config.head_dim) == (1, 2, 16, 8)
    assert {phase: recipe.lr for phase, recipe in model.card.configs.items()} == {
        "pretrain": 0.5,
        "tune": 0.25,
    }
    assert model.tokenizer.to_dict()["kind"] == "char"
    assert model.card.preset == "classic"


def test_changes_are_a_changed_preset() -> None:
    changes = {"n_layers": 1, "d_model": 16, "optimizer": "sgd", "momentum": 0.5}
    model = short(**changes)
    recipe = tinychat.PRESETS["classic"].changed({"pretrain_epochs": 1, "tune_epochs": 1, **changes})
    run = tinychat.TrainingRun.start(CORPUS, recipe)
    for _ in run.run():
        pass
    assert values(model) == values(run.model)
    assert model.recipe.model_config(50) == recipe.model_config(50)
    assert (model.recipe.pretrain, model.recipe.tune) == (recipe.pretrain, recipe.tune)
    assert values(model) != values(short(**{**changes, "momentum": 0.75}))


def test_changes_to_another_preset() -> None:
    model = short(preset="modern", n_layers=1, d_model=16, head_dim=4, d_ff=8, workers=1)
    assert model.card.preset == "modern"
    assert (model.config.norm, model.config.n_heads, model.config.d_model) == ("rmsnorm", 4, 16)


def test_changes_are_kept_in_the_file(tmp_path: Path) -> None:
    model = short(n_layers=1, d_model=16, tune_typos=0.5, tokenizer="bpe", vocab_size=270)
    loaded = tinychat.load(model.save(tmp_path / "m.npz"))
    assert loaded.recipe == model.recipe
    assert (loaded.recipe.tune.typos, loaded.recipe.pretrain.typos) == (0.5, 0.0)
    assert (loaded.recipe.tokenizer, loaded.recipe.vocab_size) == ("bpe", model.tokenizer.vocab_size)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"n_layer": 1}, "n_layer"),
        ({"n_heads": 3}, "n_heads"),
        ({"n_heads": "2"}, "n_heads"),
        ({"lr": "fast"}, "lr"),
        ({"weight_decay": 0.1}, "adamw"),
        ({"tokenizer": "morse"}, "morse"),
        ({"tokenizer": "bpe", "vocab_size": "many"}, "many"),
    ],
)
def test_changes_that_make_no_sense_are_a_config_error(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        short(**changes)


def test_no_epochs_at_all() -> None:
    model = tinychat.train(CORPUS, seed=3, pretrain_epochs=0, tune_epochs=0)
    untrained = Transformer(model.config)
    untrained.parameters.initialise(np.random.default_rng(3))
    assert values(model) == untrained.parameters.values.tobytes()
    assert model.card.final_loss is None


def test_the_seed_settles_everything() -> None:
    assert values(short(seed=4)) == values(short(seed=4))
    assert values(short(seed=4)) != values(short(seed=5))
    assert values(short()) == values(short(seed=0))


def test_listening_changes_nothing() -> None:
    events: list[Event] = []
    assert values(short(on_event=events.append)) == values(short())


def test_on_event_gets_all_events() -> None:
    events: list[Event] = []
    model = tinychat.train(CORPUS, pretrain_epochs=2, tune_epochs=1, on_event=events.append)
    assert isinstance(events[0], PhaseStarted)
    assert isinstance(events[-1], Finished)
    assert [(e.phase, e.epoch, e.step) for e in events if isinstance(e, StepDone)] == [
        (phase, epoch, step)
        for phase, epoch in (("pretrain", 1), ("pretrain", 2), ("tune", 1))
        for step in (1, 2, 3)
    ]
    records = [event for event in events if isinstance(event, EpochDone)]
    assert records == [record for progress in model.card.progress.values() for record in progress.epochs]
    run = tinychat.TrainingRun.start(CORPUS, tinychat.PRESETS["classic"], pretrain_epochs=2, tune_epochs=1)
    assert [event.name for event in events] == [event.name for event in run.run()]


def test_an_error_of_the_listener_is_not_swallowed() -> None:
    def fail(event: Event) -> None:
        if isinstance(event, EpochDone):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        short(on_event=fail)


def test_what_makes_no_sense_is_a_tinychat_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="basics"):
        tinychat.train("no-such-corpus")
    with pytest.raises(CorpusError):
        tinychat.train(tmp_path)
    with pytest.raises(CorpusError):
        tinychat.train(tinychat.Corpus("empty"))
    with pytest.raises(ConfigError, match="classic"):
        tinychat.train(CORPUS, "no-such-preset")
    with pytest.raises(UsageError, match="seed"):
        tinychat.train(CORPUS, seed=-1)
    for phase in ("pretrain_epochs", "tune_epochs"):
        with pytest.raises(ConfigError, match="epochs"):
            short(**{phase: -1})
    for error in (CorpusError, ConfigError, UsageError):
        assert issubclass(error, tinychat.TinychatError)


def test_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Transformer.loss

    def poisoned(self: Transformer, *batch: object) -> object:
        self.parameters.values[:] = np.nan
        return start(self, *batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Transformer, "loss", poisoned)
    with pytest.raises(TrainingDivergedError):
        short()
