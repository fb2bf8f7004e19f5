"""The flat vector in blocks: all of it once, and every block read by one stage of the transformer."""

import numpy as np
import pytest

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.training import blocks as module
from tinychat.training.blocks import blocks, halves, is_matrix

MODELS = {
    "post": {"norm_position": "post"},
    "pre": {"norm_position": "pre"},
    "sandwich": {"norm_position": "sandwich", "tie_embeddings": True, "output_bias": False},
}


@pytest.mark.parametrize("length", [7, 1 << 16])
@pytest.mark.parametrize("model", MODELS)
def test_every_number_is_in_one_block_of_its_stage(
    model: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", length)
    config = ModelConfig(
        vocab_size=5, n_layers=2, d_model=4, head_dim=4, d_ff=6, max_seq_len=3, **MODELS[model]
    )
    parameters = Transformer(config).parameters
    found = np.full(parameters.values.size, -1)
    for block in blocks(parameters):
        assert (found[block.place] == -1).all()
        assert 0 < block.place.stop - block.place.start <= length
        found[block.place] = block.stage
    for name, stages in parameters.views(found):  # type: ignore[arg-type]
        numbers = [int(part) for part in name.split(".") if part.isdigit()]
        wanted = numbers[0] + 1 if numbers else 0 if name.startswith("embedding") else 3
        assert (stages == wanted).all(), name


def test_what_decays_are_matrices() -> None:
    parameters = Transformer(
        ModelConfig(vocab_size=5, n_layers=1, d_model=4, head_dim=4, d_ff=6, max_seq_len=3)
    ).parameters
    parameters.values[...] = 1
    for block in blocks(parameters):
        block.decay(0.25)
    for spec, (_, view) in zip(parameters.specs, parameters.views(parameters.values), strict=True):
        assert (view == (0.75 if is_matrix(spec) else 1)).all()


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_halves_are_all_of_a_vector(n: int) -> None:
    vector = np.arange(n)
    first, second = (vector[half] for half in halves(n))
    np.testing.assert_array_equal(np.concatenate([first, second]), vector)
    assert 0 <= len(second) - len(first) <= 1
