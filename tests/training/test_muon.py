"""Muon's iteration, and what it is used for; what it shares with the others is in test_optimizer.py."""

from collections.abc import Iterable

import numpy as np
import pytest
from textbook import HIDDEN, SPECS, random_gradients, small_parameters, update

from tinychat.config import ModelConfig, TrainConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Parameters, ParameterSpec
from tinychat.core.scratch import Scratch
from tinychat.training.adam import AdamW
from tinychat.training.helper import InPlace
from tinychat.training.muon import Muon, is_hidden_matrix, orthogonalise_
from tinychat.training.workers import Workers

SHAPES = [(1, 1), (1, 5), (4, 4), (6, 18), (16, 17), (32, 96)]
CONFIG = TrainConfig(optimizer="muon", momentum=0.7, weight_decay=0.1)


def orthogonalised(x: Floats) -> Floats:
    x = x.copy()
    orthogonalise_(x, Scratch(x.dtype))
    return x


def matrix(shape: tuple[int, int], singular_values: Floats) -> Floats:
    rng = np.random.default_rng(0)
    u, _, vt = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    return np.asarray((u * singular_values) @ vt)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_all_directions_become_about_as_long(shape: tuple[int, int], dtype: type[np.floating]) -> None:
    """In spite of a condition number of 20; and every direction stays what it was."""
    values = np.geomspace(1, 0.05, shape[0])
    x = 1000 * matrix(shape, values)
    found = orthogonalised(x.astype(dtype))
    assert found.dtype == dtype
    s = np.linalg.svd(found, compute_uv=False)
    assert 0.6 < s.min() <= s.max() < 1.25
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    diagonal = u.T @ found @ vt.T
    atol = 1e-11 if dtype is np.float64 else 2e-4
    np.testing.assert_allclose(diagonal, np.diag(np.diag(diagonal)), rtol=0, atol=atol)
    assert (np.diag(diagonal) > 0).all()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_length_of_the_momentum_does_not_matter(scale: float) -> None:
    x = np.random.default_rng(0).standard_normal((6, 18))
    np.testing.assert_allclose(orthogonalised(scale * x), orthogonalised(x), rtol=1e-9, atol=1e-12)


def test_of_nothing_it_makes_nothing() -> None:
    assert not orthogonalised(np.zeros((4, 6))).any()


def test_rounding_errors_are_not_stretched_to_full_length() -> None:
    assert np.abs(orthogonalised(1e-12 * np.ones((4, 6)))).max() < 0.01


@pytest.mark.parametrize("shape", [(64, 192), (192, 64), (128, 128)])
def test_a_step_is_as_long_as_one_of_adamw(shape: tuple[int, int]) -> None:
    """So that one learning rate is good for both: a root mean square of about 0.2 times lr."""
    parameters = Parameters([ParameterSpec("attention.0.w_o", shape)])
    gradient = np.random.default_rng(0).standard_normal(parameters.values.size)
    update(Muon(parameters), [(gradient, TrainConfig(), 0.01)])
    assert np.sqrt((parameters.values**2).mean()) == pytest.approx(0.2 * 0.01, rel=0.25)


def test_what_is_no_hidden_matrix_goes_as_by_adamw_to_the_bit() -> None:
    steps = [(g, CONFIG, 0.01) for g in random_gradients(5)]
    ours, theirs = small_parameters(np.float32), small_parameters(np.float32)
    update(Muon(ours), steps)
    update(AdamW(theirs), steps)
    for (name, mine), (_, other) in zip(ours.views(ours.values), theirs.views(theirs.values), strict=True):
        assert (mine.tobytes() == other.tobytes()) == (name not in HIDDEN), name


def test_hidden_matrices_need_no_second_moment() -> None:
    parameters = small_parameters()
    muon = Muon(parameters)
    update(muon, [(g, CONFIG, 0.01) for g in random_gradients(2)])
    for name, v in parameters.views(muon.state["v"]):
        assert v.all() != (name in HIDDEN), name


def test_a_model_without_hidden_matrices() -> None:
    parameters = Parameters([spec for spec in SPECS if spec.name not in HIDDEN])
    parameters.grads[...] = 1
    Muon(parameters).step(CONFIG, 0.01)
    assert parameters.values.all()


@pytest.mark.parametrize("tied", [False, True])
def test_the_hidden_matrices_of_a_transformer(tied: bool) -> None:
    config = ModelConfig(
        vocab_size=50,
        n_layers=1,
        d_model=16,
        n_heads=4,
        n_kv_heads=2,
        head_dim=4,
        norm="rmsnorm",
        norm_position="sandwich",
        activation="silu",
        gated=True,
        attention_bias=True,
        attention_output=True,
        qk_norm=True,
        tie_embeddings=tied,
    )
    hidden = {spec.name for spec in Transformer.specs(config) if is_hidden_matrix(spec)}
    assert hidden == {
        "attention.0.w_qkv",
        "attention.0.w_o",
        "feed_forward.0.w_gate_up",
        "feed_forward.0.w_down",
    }
    assert {spec.name for spec in SPECS if is_hidden_matrix(spec)} == HIDDEN


def test_hidden_matrices_may_learn_at_a_rate_of_their_own() -> None:
    gradients = random_gradients(3)
    alike, slower = TrainConfig(optimizer="muon"), TrainConfig(optimizer="muon", hidden_lr=0.25)

    def after(config: TrainConfig, lr: float) -> dict[str, Floats]:
        parameters = small_parameters()
        update(Muon(parameters), [(gradient, config, lr) for gradient in gradients])
        return dict(parameters.views(parameters.values))

    found, fast, slow = after(slower, 0.04), after(alike, 0.04), after(alike, 0.01)
    for name, values in found.items():
        np.testing.assert_array_equal(values, (slow if name in HIDDEN else fast)[name])


@pytest.mark.parametrize("n_helpers", [1, 2, 5])
def test_helpers_change_no_bit(n_helpers: int) -> None:
    """More helpers than matrices, too."""
    steps = random_gradients(4)
    alone, helped = small_parameters(np.float32), small_parameters(np.float32)
    update(Muon(alone), [(gradient, CONFIG, 0.01) for gradient in steps])
    muon = Muon(helped)
    with Workers(Transformer(ModelConfig(vocab_size=9)), 1 + n_helpers) as workers:
        for gradient in steps:
            helped.grads[...] = gradient
            muon.step(CONFIG, 0.01, workers.others)
    assert helped.values.tobytes() == alone.values.tobytes()


def test_helpers_do_a_part_of_the_work() -> None:
    asked = []

    class Watched:
        def begin(self, function: InPlace, arrays: Iterable[Floats]) -> None:
            self.arrays = [array.copy() for array in arrays]
            asked.append([array.size for array in self.arrays])
            for array in self.arrays:
                function(array, Scratch(array.dtype))

        def end(self) -> list[Floats]:
            return self.arrays

    parameters = small_parameters()
    muon = Muon(parameters)
    parameters.grads[...] = 1
    muon.step(CONFIG, 0.01, [Watched()])
    sizes = [spec.size for spec in SPECS if spec.name in HIDDEN]
    assert abs(2 * sum(asked[0]) - sum(sizes)) <= max(sizes)
