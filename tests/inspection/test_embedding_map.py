import numpy as np
import pytest
from inspected import ANIMALS, COLOURS, build

from tinychat.errors import UsageError
from tinychat.inspection import embedding_map, nearest_words
from tinychat.model import Model
from tinychat.tokenizer import BpeTokenizer


def place(model: Model, vectors: dict[int, list[float]]) -> None:
    """Set the embedding: 0 but for the given tokens, in their first numbers."""
    w_token = model.transformer.parameters.scope("embedding")["w_token"]
    w_token[...] = 0
    for index, vector in vectors.items():
        w_token[index, : len(vector)] = vector


# The map


def test_the_map_is_seen_from_the_side_where_it_is_widest(model: Model) -> None:
    rng = np.random.default_rng(3)
    V = model.config.vocab_size
    basis, _ = np.linalg.qr(rng.standard_normal((8, 8)))
    spread = rng.standard_normal((V, 8)) * [9, 4, 0.1, 0.1, 0, 0, 0, 0]
    model.transformer.parameters.scope("embedding")["w_token"][...] = spread @ basis.T + 100
    found = embedding_map(model)
    assert found.points.shape == (V, 2)
    assert found.tokens == tuple(map(model.tokenizer.shown, range(V)))
    np.testing.assert_allclose(found.points.mean(axis=0), 0, atol=1e-3)
    variances = (found.points**2).sum(axis=0)
    total = ((spread - spread.mean(axis=0)) ** 2).sum()
    np.testing.assert_allclose(found.explained, variances / total, rtol=1e-3)
    assert found.explained[0] > found.explained[1]
    assert 0.99 < found.explained.sum() <= 1
    # Distances are kept, as nearly nothing lies in the other dimensions.
    for a, b in ((0, 1), (5, 9)):
        seen = np.linalg.norm(found.points[a] - found.points[b])
        assert seen == pytest.approx(np.linalg.norm(spread[a] - spread[b]), abs=0.8)


def test_the_first_component_is_that_of_the_covariance(model: Model) -> None:
    vectors = model.transformer.embedding.w_token.astype(np.float64)
    values, directions = np.linalg.eigh(np.cov(vectors.T))
    found = embedding_map(model)
    np.testing.assert_allclose(found.explained, values[::-1][:2] / values.sum(), rtol=1e-6)
    seen = (vectors - vectors.mean(axis=0)) @ directions[:, ::-1][:, :2]
    np.testing.assert_allclose(np.abs(found.points), np.abs(seen), atol=1e-6)
    assert (found.points.max(axis=0) >= -found.points.min(axis=0)).all()


def test_all_in_one_place_and_in_one_dimension(model: Model) -> None:
    place(model, {})
    assert (embedding_map(model).points == 0).all()
    assert embedding_map(model).explained.tolist() == [0, 0]
    narrow = embedding_map(build(d_model=1, n_heads=1, head_dim=1))
    assert (narrow.points[:, 1] == 0).all()
    assert narrow.explained.tolist() == [1, 0]


# Neighbours


def test_neighbours_are_nearest_by_the_angle(model: Model) -> None:
    ids = {word: model.tokenizer.encode(word)[0] for word in ("Rain", "clouds", "falls", "Birds")}
    place(model, {ids["Rain"]: [1, 0], ids["clouds"]: [9, 9], ids["falls"]: [0, 1], ids["Birds"]: [-2, 0.0]})
    found = nearest_words(model, "Rain", model.config.vocab_size - 1)
    assert (found.id, found.token) == (ids["Rain"], "Rain")
    assert found.tokens[0] == "clouds"
    assert found.tokens[-1] == "Birds"
    np.testing.assert_allclose(found.similarity[[0, 1, -1]], [0.5**0.5, 0, -1], atol=1e-7)
    assert "Rain" not in found.tokens
    assert [model.tokenizer.shown(index) for index in found.ids] == list(found.tokens)
    assert nearest_words(model, " Rain ", 1).tokens == ("clouds",)


def test_words_of_a_kind_become_neighbours(learnt: Model) -> None:
    """As drawn they are not: only training brings words nearer that stand in the same places."""
    for kind in (ANIMALS, COLOURS):
        for word in kind:
            assert set(nearest_words(learnt, word, 2).tokens) == set(kind) - {word}


def test_a_word_behind_a_space_is_found() -> None:
    """As most words are in a byte-pair encoding."""
    letters = iter(b"rain")
    tokenizer = BpeTokenizer([(b" "[0], next(letters)), *((257 + n, c) for n, c in enumerate(letters))])
    model = build(tokenizer)
    assert (len(tokenizer.encode(" rain")), len(tokenizer.encode("rain"))) == (1, 4)
    assert nearest_words(model, "rain", 1).token == " rain"
    assert nearest_words(model, "a", 1).token == "a"
    with pytest.raises(UsageError, match="n\\|i\\|a\\|r"):
        nearest_words(model, "niar")


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("zebra", "'zebra'"),
        ("Rain falls", "Rain|falls"),
        ("cloudz", "clouds"),
    ],
)
def test_what_is_not_one_word_of_the_model_is_refused(model: Model, word: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        nearest_words(model, word)
    assert part in str(caught.value)


@pytest.mark.parametrize("n", [0, -1, 1000])
def test_not_as_many_neighbours(model: Model, n: int) -> None:
    with pytest.raises(UsageError, match=str(n)):
        nearest_words(model, "Rain", n)
