import numpy as np
from gradients import (
    assert_forgets_shapes,
    assert_gradients,
    assert_overwrites,
    assert_stays_float32,
    random_vectors,
    randomise,
    small_config,
)
from numpy.typing import DTypeLike

from tinychat.core.output import OutputProjection
from tinychat.core.parameters import Parameters


def build(dtype: DTypeLike = np.float64) -> tuple[OutputProjection, Parameters]:
    parameters = randomise(Parameters(OutputProjection.specs(small_config(), "output"), dtype))
    return OutputProjection(parameters.scope("output")), parameters


def test_forward_is_the_definition() -> None:
    output, _ = build()
    x = random_vectors(2, 3, 6)
    logits = output.forward(x)
    assert logits.shape == (2, 3, 7)
    np.testing.assert_allclose(logits, x @ output.w_out + output.b_out, rtol=1e-12)


def test_gradients() -> None:
    output, parameters = build()
    assert_gradients(output, parameters, random_vectors(2, 3, 6))


def test_gradient_of_the_bias_is_the_plain_sum() -> None:
    """RustGPT divides it by the length, twice."""
    output, _ = build()
    output.forward(random_vectors(2, 3, 6))
    dlogits = random_vectors(2, 3, 7)
    output.backward(dlogits)
    np.testing.assert_allclose(output.db_out, dlogits.sum(axis=(0, 1)), rtol=1e-12)


def test_backward_overwrites() -> None:
    output, parameters = build()
    assert_overwrites(output, parameters, random_vectors(2, 3, 6))


def test_float32_stays() -> None:
    output, parameters = build(np.float32)
    assert_stays_float32(output, parameters, random_vectors(2, 3, 6, dtype=np.float32))


def test_results_do_not_depend_on_the_shapes_before() -> None:
    output, parameters = build()
    assert_forgets_shapes(output, parameters, lambda b, t: random_vectors(b, t, 6))
