"""Ten updates of the classic model against the figures that PyTorch found in float64, without PyTorch."""

import numpy as np
import pytest
from trajectory import LENGTHS, RECIPE, SMOOTH, STEADY, by_numpy, golden

# What is rounded in float32 grows from update to update, and Adam divides it by the root of v.
tolerances = pytest.mark.parametrize(
    ("dtype", "rtol"),
    [pytest.param(np.float64, 1e-9, id="float64"), pytest.param(np.float32, 2e-5, id="float32")],
)


@tolerances
def test_losses(dtype: type[np.floating], rtol: float) -> None:
    losses = golden()["losses"]
    assert len(losses) == len(LENGTHS)
    np.testing.assert_allclose(by_numpy(dtype).losses, losses, rtol=rtol)


@tolerances
def test_gradient_norms(dtype: type[np.floating], rtol: float) -> None:
    norms = golden()["grad_norms"]
    assert min(norms) > RECIPE.clip_norm  # so every update also tells whether clipping is right
    np.testing.assert_allclose(by_numpy(dtype).grad_norms, norms, rtol=10 * rtol)


@tolerances
def test_norms_of_the_parameters(dtype: type[np.floating], rtol: float) -> None:
    norms = by_numpy(dtype).parameter_norms
    wanted = golden()["parameter_norms"]
    assert norms.keys() == wanted.keys()
    np.testing.assert_allclose([norms[name] for name in wanted], list(wanted.values()), rtol=10 * rtol)


def test_float32_follows_float64_in_every_parameter() -> None:
    single, double = (by_numpy(dtype, SMOOTH, STEADY).parameters for dtype in (np.float32, np.float64))
    assert single.dtype == np.float32
    assert double.dtype == np.float64
    moved = np.linalg.norm(double - single) / np.linalg.norm(double)
    assert moved < 3e-7
