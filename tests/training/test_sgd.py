"""Descent with Nesterov's momentum; what it has in common with the others is in test_optimizer.py."""

import numpy as np
import pytest
from textbook import N, random_gradients, small_parameters, update

from tinychat.config import TrainConfig
from tinychat.training.sgd import Sgd


def test_without_momentum_it_is_plain_descent() -> None:
    parameters = small_parameters()
    start, gradients = parameters.values.copy(), random_gradients(3)
    found = update(Sgd(parameters), [(g, TrainConfig(momentum=0), 0.1) for g in gradients])
    np.testing.assert_allclose(found, start - 0.1 * sum(gradients), rtol=1e-12)


@pytest.mark.parametrize("momentum", [0.5, 0.9, 0.99])
def test_it_is_where_sutskever_looks_ahead(momentum: float) -> None:
    """Equations 3 and 4 of the paper, where the gradient is taken at theta + momentum * velocity.

    That place is our p; at a constant learning rate both go the same way.
    """
    lr, curvature = 0.05, np.geomspace(0.1, 5, N)
    parameters = small_parameters()
    theta, velocity = parameters.values.copy(), np.zeros(N)
    sgd = Sgd(parameters)
    for _ in range(30):
        np.testing.assert_allclose(parameters.values, theta + momentum * velocity, rtol=0, atol=1e-12)
        update(sgd, [(curvature * parameters.values, TrainConfig(momentum=momentum), lr)])
        velocity = momentum * velocity - lr * curvature * (theta + momentum * velocity)
        theta = theta + velocity
    assert np.abs(velocity).max() > 1e-3
