"""Small models of the whole family, and one that has learnt something."""

from collections.abc import Iterator

import pytest
from inspected import ANIMALS, COLOURS, FAMILY, build

import tinychat
from tinychat.corpus import Corpus, Turn
from tinychat.model import Model


@pytest.fixture(params=FAMILY)
def member(request: pytest.FixtureRequest) -> Model:
    """Each of the family in turn."""
    return build(**FAMILY[request.param])


@pytest.fixture
def model() -> Model:
    return build()


@pytest.fixture(scope="session")
def _trained() -> Model:
    """It has met two kinds of words, those of a kind in the same places."""
    facts = [f"The {a} {does} at night." for a in ANIMALS for does in ("sleeps", "eats", "runs")]
    facts += [f"I paint a {c} {thing}." for c in COLOURS for thing in ("house", "wall", "door")]
    chat = tuple((Turn(f"Who {does}?", f"The cat {does}."),) for does in ("sleeps", "eats", "runs"))
    shape = {"n_layers": 1, "d_model": 16}
    epochs = {"pretrain_epochs": 30, "tune_epochs": 120}
    return tinychat.train(Corpus("words", tuple(facts), chat), seed=1, lr=0.01, **shape, **epochs)


@pytest.fixture
def learnt(_trained: Model) -> Iterator[Model]:
    before = _trained.transformer.parameters.values.copy()
    yield _trained
    assert (_trained.transformer.parameters.values == before).all()
