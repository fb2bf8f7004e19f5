import numpy as np
import pytest
from gradients import numeric_gradient, random_vectors, relative_error, small_batch

from tinychat.config import IGNORE
from tinychat.core.parameters import Floats, Ids
from tinychat.core.places import CountedPlaces

TARGETS = {
    "some": small_batch()[1],
    "all": np.arange(10).reshape(2, 5),
    "one": np.array([[IGNORE] * 5, [IGNORE, IGNORE, 0, IGNORE, IGNORE]]),
    "none": np.full((2, 5), IGNORE),
}
each = pytest.mark.parametrize("targets", TARGETS.values(), ids=TARGETS)


@pytest.fixture
def places() -> CountedPlaces:
    return CountedPlaces(np.dtype(np.float64))


@each
def test_forward_keeps_the_places_that_count_in_their_order(places: CountedPlaces, targets: Ids) -> None:
    x = random_vectors(2, 5, 6)
    chosen, counted = places.forward(x, targets)
    wanted = [(x[i], targets[i]) for i in np.ndindex(targets.shape) if targets[i] != IGNORE]
    assert chosen.shape == (1, len(wanted), 6)
    assert counted.shape == (1, len(wanted))
    for n, (vector, target) in enumerate(wanted):
        np.testing.assert_array_equal(chosen[0, n], vector)
        assert counted[0, n] == target


@each
def test_backward_brings_every_gradient_to_its_place_and_0_to_the_rest(
    places: CountedPlaces, targets: Ids
) -> None:
    places.backward(np.ones_like(places.forward(random_vectors(2, 5, 6), np.zeros((2, 5), int))[0]))
    chosen, _ = places.forward(random_vectors(2, 5, 6), targets)
    dchosen = random_vectors(*chosen.shape, seed=2)
    dx = places.backward(dchosen)
    assert dx.shape == (2, 5, 6)
    np.testing.assert_array_equal(dx[targets == IGNORE], 0)
    np.testing.assert_array_equal(dx[targets != IGNORE], dchosen[0])


def test_a_few_that_do_not_count_may_stay(places: CountedPlaces) -> None:
    x, targets = random_vectors(1, 5, 6), np.array([[3, 1, IGNORE, 4, IGNORE]])
    assert places.forward(x, targets, n_idle=1)[0].shape == (1, 3, 6)
    chosen, counted = places.forward(x, targets, n_idle=2)
    np.testing.assert_array_equal(chosen, x)
    np.testing.assert_array_equal(counted, targets)
    np.testing.assert_array_equal(places.backward(2 * x), 2 * x)


@pytest.mark.parametrize("length", [3, 7])
def test_targets_of_fewer_or_more_places_are_refused(places: CountedPlaces, length: int) -> None:
    with pytest.raises(ValueError, match="reshape"):
        places.forward(random_vectors(2, 5, 6), np.array([[0, IGNORE, *[1] * (length - 2)]] * 2))


def test_gradient(places: CountedPlaces) -> None:
    x, targets = random_vectors(2, 5, 6), TARGETS["some"]
    dchosen = random_vectors(1, 7, 6, seed=2)
    places.forward(x, targets)
    dx = places.backward(dchosen).copy()
    numeric = numeric_gradient(lambda: float((places.forward(x, targets)[0] * dchosen).sum()), x)
    assert relative_error(numeric, dx) < 1e-9


def test_results_do_not_depend_on_the_shapes_before(places: CountedPlaces) -> None:
    def results(b: int, t: int) -> tuple[Floats, Floats]:
        targets = np.random.default_rng(3).integers(-1, 2, (b, t))
        chosen = places.forward(random_vectors(b, t, 6), targets)[0].copy()
        return chosen, places.backward(random_vectors(*chosen.shape, seed=2)).copy()

    fresh = results(2, 3)
    for B, T in ((1, 2), (3, 6), (6, 1), (2, 5)):
        results(B, T)
        for now, then in zip(results(2, 3), fresh, strict=True):
            np.testing.assert_array_equal(now, then)


def test_float32_stays() -> None:
    places = CountedPlaces(np.dtype(np.float32))
    chosen, _ = places.forward(random_vectors(2, 5, 6, dtype=np.float32), TARGETS["some"])
    assert chosen.dtype == places.backward(chosen).dtype == np.float32
