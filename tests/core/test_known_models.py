"""Models that others have published have the parameters that they are known for."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer


def test_the_classic_model_is_the_one_of_the_documents() -> None:
    config = ModelConfig(vocab_size=500)
    model = Transformer(config)
    V, D, F, T = 500, 128, 256, 80
    block = 3 * D * D + (D * F + F) + (F * D + D) + 2 * 2 * D
    assert model.n_parameters == V * D + T * D + 3 * block + D * V + V
    assert len(model.blocks) == config.n_layers == 3
    assert model.parameters.values.dtype == np.float32


def test_gpt2_has_the_124_million_parameters_that_it_is_known_for() -> None:
    config = ModelConfig(
        vocab_size=50257,
        n_layers=12,
        d_model=768,
        d_ff=3072,
        n_heads=12,
        n_kv_heads=12,
        head_dim=64,
        max_seq_len=1024,
        norm_position="pre",
        activation="gelu_tanh",
        attention_bias=True,
        attention_output=True,
        output_bias=False,
        tie_embeddings=True,
    )
    assert sum(spec.size for spec in Transformer.specs(config)) == 124_439_808


def test_gemma_3_270m_has_the_parameters_of_its_checkpoint() -> None:
    config = ModelConfig(
        vocab_size=262144,
        n_layers=18,
        d_model=640,
        d_ff=2048,
        n_heads=4,
        n_kv_heads=1,
        head_dim=256,
        max_seq_len=32768,
        norm="rmsnorm",
        norm_position="sandwich",
        positions="rope",
        rope_theta=1e6,
        rope_local_theta=1e4,
        activation="gelu_tanh",
        gated=True,
        bias=False,
        attention_output=True,
        output_bias=False,
        qk_norm=True,
        sliding_window=512,
        layer_types=(*["sliding"] * 5, "full") * 3,
        tie_embeddings=True,
        embedding_scale=True,
    )
    assert sum(spec.size for spec in Transformer.specs(config)) == 268_098_176
