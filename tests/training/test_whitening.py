"""Steps in whitened coordinates change what was read before by their own length, in every direction."""

import numpy as np
import pytest

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.training import whitening as module
from tinychat.training.whitening import Whitening

CONFIGS = {
    "classic": ModelConfig(
        vocab_size=11, n_layers=2, d_model=8, d_ff=12, n_heads=1, head_dim=8, max_seq_len=9
    ),
    "tied": ModelConfig(
        vocab_size=11,
        n_layers=1,
        d_model=8,
        d_ff=12,
        n_heads=2,
        n_kv_heads=1,
        head_dim=4,
        max_seq_len=9,
        norm="rmsnorm",
        norm_position="pre",
        gated=True,
        activation="silu",
        bias=False,
        tie_embeddings=True,
        output_bias=False,
        attention_output=True,
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_former_outputs_change_alike_in_all_directions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DAMPING", 1e-6)
    rng = np.random.default_rng(0)
    transformer = Transformer(CONFIGS[name], np.float64)
    transformer.parameters.initialise(rng)
    whitening, read = Whitening(), {}
    for _ in range(6):  # enough places for every direction to be in use
        transformer.forward(rng.integers(0, 11, (4, 9)))
        other = Whitening()
        other.collect(transformer, np.ones(36))
        whitening.add(other)
        for matrix, x in module._inputs(transformer):
            read[matrix] = np.concatenate([read.get(matrix, x[:0]), x])
    whitening.finish()
    names = {spec.name for spec in transformer.parameters.specs}
    assert set(read) <= names
    hidden = {spec.name for spec in transformer.parameters.specs if spec.name.split(".")[-1].startswith("w_")}
    assert hidden - set(read) <= {"embedding.w_token", "embedding.w_position"}
    step = rng.standard_normal(transformer.n_parameters)
    scaled = step.copy()
    whitening.scale_(transformer, scaled)
    old, new = (dict(transformer.parameters.views(flat)) for flat in (step, scaled))
    for spec in transformer.parameters.specs:
        if spec.name not in read:
            np.testing.assert_array_equal(new[spec.name], old[spec.name])
            continue
        x, dw = read[spec.name], new[spec.name]
        dw, dz = (dw.T, old[spec.name].T) if spec.name == "embedding.w_token" else (dw, old[spec.name])
        n_used = np.linalg.matrix_rank(x.T @ x, rtol=1e-9)
        if n_used == x.shape[1]:
            ratio = np.square(x @ dw).sum(axis=0) / np.square(dz).sum(axis=0)
            np.testing.assert_allclose(ratio, ratio[0], rtol=0.02)


def test_padding_is_not_collected() -> None:
    transformer = Transformer(CONFIGS["classic"], np.float64)
    transformer.parameters.initialise(np.random.default_rng(0))
    sums = []
    for ids, is_text in (
        (np.array([[1, 2, 3]]), np.ones(3)),
        (np.array([[1, 2, 3, 0, 0]]), np.arange(5) < 3),
    ):
        transformer.forward(ids)
        whitening = Whitening()
        whitening.collect(transformer, is_text.astype(float))
        sums.append(whitening._sums)
    for name, total in sums[0].items():
        np.testing.assert_allclose(sums[1][name], total, atol=1e-12)
