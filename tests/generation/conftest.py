"""A small model that was never trained."""

from collections.abc import Callable

import numpy as np
import pytest
from small_models import untrained

from tinychat.model import Model
from tinychat.tokenizer import WordTokenizer

TEXTS = (
    "User: How do mountains form? Assistant: Rock rises slowly, for a long time.",
    "User: What is rain? Assistant: Water falls from clouds!",
)

ALWAYS, NEVER = 1000.0, -1000.0


def build(max_seq_len: int = 16, max_turns: int = 1, seed: int = 0) -> Model:
    tokenizer = WordTokenizer.train(TEXTS)
    shape = {"n_layers": 1, "d_model": 16, "head_dim": 16, "d_ff": 32, "max_seq_len": max_seq_len}
    model = untrained(tokenizer, TEXTS, "What is rain?", max_turns, seed, **shape)
    transformer = model.transformer
    transformer.parameters.initialise(np.random.default_rng(seed))
    embedding = transformer.parameters.scope("embedding")
    for name in ("w_token", "w_position"):
        embedding[name][...] *= 50  # as drawn they are so alike that the model says one word for ever
    transformer.parameters.scope("output")["b_out"][tokenizer.end_id] = NEVER
    return model


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Model]:
    """`make_model(max_seq_len, max_turns, seed)` -> a model that was never trained, and never ends."""
    return build


@pytest.fixture
def model() -> Model:
    return build()


@pytest.fixture(scope="session")
def favour() -> Callable[[Model, int], None]:
    """`favour(model, token)` sets the output bias of a token so high that it always wins."""

    def favour(model: Model, token: int) -> None:
        model.transformer.parameters.scope("output")["b_out"][token] = ALWAYS

    return favour
