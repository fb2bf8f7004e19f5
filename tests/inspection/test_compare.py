from pathlib import Path
from typing import Any

import pytest
from inspected import build

import tinychat
from tinychat.corpus import Corpus, Turn
from tinychat.inspection import compare
from tinychat.model import Model
from tinychat.weights import read_summary
from tinychat.weights.description import Summary

FACTS = ("Rain falls.", "Birds sing.")
CHAT = ((Turn("What falls?", "Rain."),),)
SHAPE: dict[str, Any] = {"d_model": 8, "d_ff": 8, "n_layers": 1, "sample_every": 99}


@pytest.fixture
def summary(tmp_path: Path) -> Any:
    def of(model: Model) -> Summary:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npz"
        return read_summary(model.save(path))

    return of


def trained(corpus: Corpus | None = None, **changes: Any) -> Model:
    corpus = corpus or Corpus("both", FACTS, CHAT, source="both")
    return tinychat.train(corpus, **{**SHAPE, "pretrain_epochs": 3, "tune_epochs": 2, **changes})


def test_what_differs_is_named_as_its_flag(summary: Any) -> None:
    changes = {"seed": 5, "d_ff": 12, "tune_lr": 0.5, "tie_embeddings": True}
    found = compare(summary(trained()), summary(trained(**changes)))
    assert found.configuration == {
        "seed": (0, 5),
        "d_ff": (8, 12),
        "tie_embeddings": (False, True),
        "tune_lr": (0.0001, 0.5),
    }


def test_a_model_does_not_differ_from_itself(summary: Any) -> None:
    one = summary(trained())
    found = compare(one, one)
    assert found.configuration == {}
    assert all(first == second for first, second in found.figures.values())
    assert all(first == second for first, second in found.losses.values())


def test_figures_are_those_of_the_history(summary: Any) -> None:
    models = [trained(validation=0.5), trained(tune_epochs=4)]
    found = compare(*map(summary, models))
    for which, model in enumerate(models):
        figures = {name: pair[which] for name, pair in found.figures.items()}
        assert figures["parameters"] == model.n_parameters
        assert figures["updates"] == model.optimizer.updates if model.optimizer else None
        for phase, progress in model.card.progress.items():
            last = progress.epochs[-1]
            assert figures[f"{phase}.epochs"] == len(progress.epochs)
            assert figures[f"{phase}.loss"] == last.loss
            assert figures[f"{phase}.smoothed_loss"] == last.smoothed_loss
            assert figures[f"{phase}.accuracy"] == last.accuracy
            assert figures[f"{phase}.best_loss"] == min(record.loss for record in progress.epochs)
            assert figures[f"{phase}.seconds"] == progress.seconds
            assert found.losses[phase][which] == [record.loss for record in progress.epochs]
            measured = progress.epochs[0]  # epochs of so few rows are not measured again soon
            for layer in ("embedding", "attention.0", "feed_forward.0", "output"):
                assert figures[f"{phase}.grad_norm.{layer}"] == measured.grad_norms[layer] > 0
                assert figures[f"{phase}.update_ratio.{layer}"] == measured.update_ratios[layer] > 0
    best = min(record.held_out_loss or 99 for record in models[0].card.progress["pretrain"].epochs)
    assert found.figures["pretrain.best_held_out_loss"] == (best, None)


def test_a_phase_that_one_model_does_not_have(summary: Any) -> None:
    writer = trained(Corpus("facts", FACTS, (), source="facts"))
    found = compare(summary(trained()), summary(writer))
    assert found.configuration["corpus"] == ("both", "facts")
    assert found.configuration["tune_epochs"] == (2, None)
    assert found.figures["tune.epochs"] == (2, None)
    assert [len(losses) for losses in found.losses["tune"]] == [2, 0]
    assert list(found.losses) == ["pretrain", "tune"]
    assert list(compare(summary(writer), summary(writer)).losses) == ["pretrain"]


def test_models_without_a_history(summary: Any) -> None:
    found = compare(summary(build()), summary(trained(pretrain_epochs=0)))
    assert found.figures["updates"][0] is None
    assert found.figures["pretrain.epochs"] == (None, 0)
    assert "pretrain.loss" not in found.figures
    assert found.losses["pretrain"] == ([], [])
