"""What a machine is measured by: how much an update computes, and how much a token reads."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_runs import CORPUS, PRESET

from tinychat.config import IGNORE, ModelConfig
from tinychat.core.model import Transformer
from tinychat.presets import PRESETS
from tinychat.training.bench import (
    DecodingSpeed,
    TrainingSpeed,
    decoding_speed,
    flops_of,
    training_products,
    training_speed,
    weights_read,
)

VOCABULARY = 300


def counted_flops(
    config: ModelConfig, n_rows: int, length: int, n_masked: int, monkeypatch: pytest.MonkeyPatch
) -> int:
    """Of the products of two matrices that an update really asks NumPy for."""
    transformer = Transformer(config)
    transformer.parameters.initialise(np.random.default_rng(0))
    ids = np.random.default_rng(0).integers(VOCABULARY, size=(n_rows, length + 1))
    total = 0

    def counting(product: Any) -> Any:
        def count(a: Any, b: Any, *arguments: Any, **options: Any) -> Any:
            nonlocal total
            found = product(a, b, *arguments, **options)
            if min(a.ndim, b.ndim) >= 2 and min(a.shape[-2:] + b.shape[-2:]) > 1:
                total += 2 * found.size * a.shape[-1]
            return found

        return count

    with monkeypatch.context() as patch:
        for name in ("dot", "matmul"):
            patch.setattr(np, name, counting(getattr(np, name)))
        targets = ids[:, 1:].copy()
        targets[:, :n_masked] = IGNORE
        transformer.loss_and_gradients(ids[:, :-1], targets)
    return total


@pytest.mark.parametrize("n_masked", [0, 15])
@pytest.mark.parametrize("name", ["classic", "modern"])
def test_an_update_computes_what_is_counted(
    name: str, n_masked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = PRESETS[name].model_config(VOCABULARY)
    wanted = counted_flops(config, 3, 40, n_masked, monkeypatch)
    found = training_products(config, 3, 40, 3 * (40 - n_masked))
    assert flops_of(found) == pytest.approx(wanted, rel=0.02)


def test_projections_cost_six_operations_a_weight_and_place() -> None:
    """Two forward, two for the weights and two for the inputs (Kaplan et al. 2020, section 2.1)."""
    config = PRESETS["classic"].model_config(VOCABULARY)
    per_row = flops_of(training_products(config, 2, 10, 20)) - flops_of(training_products(config, 1, 10, 10))
    matrices = 3 * (128 * 384 + 2 * 128 * 256) + 128 * VOCABULARY
    heads = 3 * 6 * 2 * 10 * 10 * 128
    assert per_row == 6 * matrices * 10 + heads


def test_a_token_needs_all_weights_but_the_tables() -> None:
    classic = Transformer(PRESETS["classic"].model_config(VOCABULARY))
    assert weights_read(classic) == 4 * (classic.n_parameters - (VOCABULARY + 80) * 128)
    modern = Transformer(PRESETS["modern"].model_config(VOCABULARY))
    assert weights_read(modern) == 4 * modern.n_parameters  # its table is the output too


@pytest.mark.parametrize("workers", [1, 2])
def test_training_is_measured(workers: int) -> None:
    recipe = replace(PRESET, tune=replace(PRESET.tune, batch_size=2, workers=workers))
    found = training_speed(recipe, CORPUS, 0.05)
    assert (found.preset, found.workers) == ("tiny", workers)
    # Every update has one or two of the three dialogues, of at least five tokens each.
    assert found.tokens_per_s > 5 * found.updates_per_s > 0
    assert found.gflops > 0
    assert found.product_gflops > 0
    assert found.share == found.gflops / found.product_gflops


def test_decoding_is_measured() -> None:
    found = decoding_speed(PRESET, CORPUS, 0.05)
    assert found.preset == "tiny"
    assert found.tokens_per_s > 23  # a text of 24 tokens in less than a second
    assert 0 < found.gb_per_s == pytest.approx(found.share * found.read_gb_per_s)


def test_shares() -> None:
    assert TrainingSpeed("a", 1, 1.0, 1.0, gflops=5.0, product_gflops=20.0).share == 0.25
    assert DecodingSpeed("a", 1.0, gb_per_s=1.0, read_gb_per_s=8.0).share == 0.125
