"""Saving and loading: the same bits back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import archives
import numpy as np
import pytest

from tinychat import weights
from tinychat.config import TrainConfig
from tinychat.model import EXTRAS, Model
from tinychat.training.optimizer import OPTIMIZERS, make_optimizer
from tinychat.weights.description import OptimizerRecord

Everything = Callable[[Model], dict[str, Any]]


def test_round_trip_to_the_bit(model: Model, saved: Path, everything: Everything) -> None:
    loaded = weights.load(saved)
    assert everything(loaded) == everything(model)
    parameters = loaded.transformer.parameters
    assert parameters.values.dtype == np.float32
    np.testing.assert_array_equal(parameters.grads, 0)
    assert loaded.optimizer is not None
    assert loaded.optimizer.parameters is parameters
    assert loaded.optimizer.updates == 9


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_goes_on_to_the_same_bits(
    model: Model, tmp_path: Path, everything: Everything, kind: str
) -> None:
    parameters = model.transformer.parameters
    model.optimizer = make_optimizer(kind, parameters)
    updated(model, seed=1)
    assert all(vector.any() for vector in model.optimizer.state.values())
    path = weights.save(model, tmp_path / "model.npz")
    loaded = weights.load(path)
    assert everything(loaded) == everything(model)
    assert loaded.optimizer is not None
    assert type(loaded.optimizer) is type(model.optimizer)
    assert loaded.optimizer.parameters is loaded.transformer.parameters
    assert weights.read_summary(path).training.optimizer == OptimizerRecord(kind, 1)
    assert everything(updated(loaded, seed=2)) == everything(updated(model, seed=2))


def updated(model: Model, seed: int) -> Model:
    parameters = model.transformer.parameters
    parameters.grads[...] = np.random.default_rng(seed).standard_normal(parameters.grads.size)
    assert model.optimizer is not None
    model.optimizer.step(TrainConfig(optimizer="adamw", weight_decay=0.1), 0.01)
    return model


@pytest.mark.parametrize("names", [(), ("best",), ("best", "average"), EXTRAS])
def test_extra_vectors_are_saved_by_name(
    model: Model, tmp_path: Path, everything: Everything, names: tuple[str, ...]
) -> None:
    model.extras = {name: np.full(model.n_parameters, len(name), np.float32) for name in names}
    path = weights.save(model, tmp_path / "model.npz")
    loaded = weights.load(path)
    assert everything(loaded) == everything(model)
    assert {vector.dtype for vector in loaded.extras.values()} <= {np.dtype(np.float32)}
    assert weights.read_summary(path).training.extras == names
    with np.load(path) as archive:
        assert {name for name in archive.files if "training" in name} == {f"training/{n}" for n in names}


@pytest.mark.parametrize(("name", "missing"), [("worst", 0), ("", 0), ("best", 1), ("../best", 0)])
def test_an_extra_vector_that_could_not_be_loaded_is_not_saved(
    model: Model, tmp_path: Path, name: str, missing: int
) -> None:
    model.extras[name] = np.zeros(model.n_parameters - missing, np.float32)
    with pytest.raises(ValueError, match="none of the extra vectors"):
        weights.save(model, tmp_path / "model.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("updates", [9, None])
def test_a_file_of_version_1_is_read(
    model: Model, tmp_path: Path, everything: Everything, updates: int | None
) -> None:
    """It knew no optimiser but Adam, and no extra vectors."""
    model = replace(model, optimizer=model.optimizer if updates else None, extras={})
    members = archives.read(weights.save(model, tmp_path / "new.npz"))
    metadata = {**archives.metadata(members), "version": 1, "updates": updates}
    del metadata["optimizer"], metadata["extras"]
    path = archives.write(tmp_path / "old.npz", archives.with_metadata(members, metadata))
    assert everything(weights.load(path)) == everything(model)
    assert weights.read_summary(path).updates == updates


def test_the_layers_of_a_loaded_model_see_its_weights(model: Model, saved: Path) -> None:
    loaded = weights.load(saved)
    ids = np.array([[1, 7, 3, 9]])
    logits = model.transformer.forward(ids)
    assert logits.std() > 0
    np.testing.assert_array_equal(loaded.transformer.forward(ids), logits)
    assert loaded.ask("What falls?") == model.ask("What falls?")


def test_saving_again_writes_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    again = weights.save(weights.load(saved), tmp_path / "again.npz")
    assert again.read_bytes() == saved.read_bytes()


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-45, -1e-40, 3.4028235e38, 1 / 3])
def test_numbers_at_the_edge_of_float32(model: Model, tmp_path: Path, value: float) -> None:
    model.transformer.parameters.values[5] = value
    loaded = weights.load(weights.save(model, tmp_path / "edge.npz"))
    assert loaded.transformer.parameters.values.tobytes() == model.transformer.parameters.values.tobytes()


def test_without_an_optimizer(model: Model, tmp_path: Path, saved: Path, everything: Everything) -> None:
    model = replace(model, optimizer=None, extras={})
    path = weights.save(model, tmp_path / "small.npz")
    assert path.stat().st_size < 0.5 * saved.stat().st_size
    loaded = weights.load(path)
    assert loaded.optimizer is None
    assert everything(loaded) == everything(model)
    assert weights.read_summary(path).updates is None


def test_the_summary_is_what_the_model_says(model: Model, saved: Path) -> None:
    summary = weights.read_summary(saved)
    assert summary.path == saved
    assert summary.config == model.config
    assert summary.card == model.card
    assert summary.tokenizer.to_dict() == model.tokenizer.to_dict()
    assert summary.updates == 9
    assert summary.n_parameters == model.n_parameters


def test_any_numpy_program_can_read_the_file(model: Model, saved: Path) -> None:
    with np.load(saved, allow_pickle=False) as archive:
        names = set(archive.files)
        specs = model.transformer.parameters.specs
        vectors = {"optimizer/m", "optimizer/v", "training/average"}
        assert names == {"metadata", *vectors, *(f"parameters/{s.name}" for s in specs)}
        np.testing.assert_array_equal(
            archive["parameters/attention.1.w_qkv"], model.transformer.blocks[1].attention.w_qkv
        )
        assert {archive[name].dtype for name in names - {"metadata"}} == {np.dtype(np.float32)}
