"""Central differences, and the small float64 cases that they and PyTorch are compared on."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from tinychat.config import IGNORE, ModelConfig
from tinychat.core.dropout import Draws
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Ids, Parameters

TOLERANCE = 1e-6
"""Of ||numeric - analytic|| / ||analytic||, in float64."""
_STEP = 1e-5
"""Where the error of the truncation (step^2) meets that of the rounding (1e-16 / step)."""


class AnyLayer(Protocol):
    def forward(self, x: Any) -> Floats: ...
    def backward(self, dy: Floats) -> Floats | None: ...


def small_config(n_heads: int = 1, **changes: Any) -> ModelConfig:
    """A model in which every parameter can be moved in turn."""
    shape: dict[str, Any] = {"vocab_size": 7, "n_layers": 2, "d_model": 6, "d_ff": 5, "max_seq_len": 6}
    heads = {"n_heads": n_heads, "n_kv_heads": n_heads, "head_dim": 6 // n_heads}
    return ModelConfig(**{**shape, **heads, **changes})


def randomise(parameters: Parameters, seed: int = 0) -> Parameters:
    """Every weight away from 0 and 1: a bias of 0 or a gain of 1 would hide that it is forgotten."""
    rng = np.random.default_rng(seed)
    parameters.values[...] = 0.7 * rng.standard_normal(parameters.values.size)
    for name, view in parameters.views(parameters.values):
        if name.endswith(".gain"):
            view += 1.5
    return parameters


def small_model(n_heads: int = 1, dtype: DTypeLike = np.float64, seed: int = 0) -> Transformer:
    return model_of(small_config(n_heads), dtype, seed)


def model_of(config: ModelConfig, dtype: DTypeLike = np.float64, seed: int = 0) -> Transformer:
    model = Transformer(config, dtype)
    randomise(model.parameters, seed)
    return model


class Redrawn:
    """A layer as in training, with dropout that drops the same numbers in every forward."""

    def __init__(self, layer: AnyLayer, draws: Draws) -> None:
        self.layer, self.draws = layer, draws

    def forward(self, x: Any) -> Floats:
        self.draws.rng = np.random.default_rng(11)
        return self.layer.forward(x)

    def backward(self, dy: Floats) -> Floats | None:
        return self.layer.backward(dy)


def small_batch() -> tuple[Ids, Ids]:
    """Ids with repeats inside a row and across rows, and targets of which some do not count."""
    ids = np.array([[3, 1, 3, 3, 0], [6, 1, 2, 6, 5]])
    targets = np.array([[1, 3, IGNORE, 0, 2], [IGNORE, 2, 6, 5, IGNORE]])
    return ids, targets


def random_vectors(*shape: int, seed: int = 1, dtype: DTypeLike = np.float64) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def relative_error(numeric: Floats, analytic: Floats) -> float:
    norm = np.linalg.norm(analytic)
    assert norm > 0, "a gradient of 0 would be compared with nothing"
    return float(np.linalg.norm(numeric - analytic) / norm)


def numeric_gradient(f: Callable[[], float], x: Floats) -> Floats:
    """Gradient of `f` by every entry of `x`, which `f` reads, by central differences."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + _STEP
        above = f()
        x[index] = kept - _STEP
        below = f()
        x[index] = kept
        gradient[index] = (above - below) / (2 * _STEP)
    return gradient


def numeric_slope(f: Callable[[], float], x: Floats, direction: Floats) -> float:
    """Derivative of `f` along `direction` in `x`, which `f` reads, by differences of fourth order."""
    kept, step = x.copy(), 3 * _STEP / float(np.linalg.norm(direction))

    def at(steps: int) -> float:
        x[...] = kept + steps * step * direction
        return f()

    slope = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
    x[...] = kept
    return slope


def parts(parameters: Parameters, flat: Floats, config: ModelConfig) -> Iterator[tuple[str, Floats]]:
    """Views by name, and those of matrices that stand side by side in one apart from each other.

    Queries and keys have far smaller gradients than values, and could hide behind them.
    """
    q, k, F = config.n_heads * config.head_dim, config.n_kv_heads * config.head_dim, config.d_ff
    for name, view in parameters.views(flat):
        if name.endswith("_qkv"):
            yield f"{name}[q]", view[..., :q]
            yield f"{name}[k]", view[..., q : q + k]
            yield f"{name}[v]", view[..., q + k :]
        elif name.endswith("_gate_up"):
            yield f"{name}[gate]", view[..., :F]
            yield f"{name}[up]", view[..., F:]
        else:
            yield name, view


def has_no_effect(name: str, config: ModelConfig) -> bool:
    """Whether the gradient by the part of that name is 0 whatever the input and the other weights are.

    A vector c that is added to all keys alike adds q c to all scores of a query alike, and softmax does not
    see that. So is the bias of the keys, and so is that of their layer norm if there is one, unless rotary
    positions turn it differently at each place.
    """
    added = "k_norm.bias" if config.qk_norm else "b_qkv[k]"
    return config.positions != "rope" and name.endswith(added)


def assert_gradients(
    layer: AnyLayer, parameters: Parameters, x: Floats | Ids, config: ModelConfig | None = None
) -> None:
    """Compare the gradients by every weight and every entry of `x` (if it is not ids) with differences.

    Also: what the gradients were before is gone, and neither `x` nor `dy` is written to.
    """
    config = config or small_config()
    dy = random_vectors(*layer.forward(x).shape, seed=2)
    parameters.grads[...] = random_vectors(parameters.grads.size, seed=3)
    x_given, dy_given = x.copy(), dy.copy()
    layer.forward(x)
    dx = layer.backward(dy)
    dx = None if dx is None else dx.copy()
    np.testing.assert_array_equal(x, x_given)
    np.testing.assert_array_equal(dy, dy_given)

    def scalar() -> float:
        return float((layer.forward(x) * dy).sum())

    analytic = dict(parts(parameters, parameters.grads.copy(), config))
    numeric = dict(parts(parameters, numeric_gradient(scalar, parameters.values), config))
    for name, gradient in analytic.items():
        if has_no_effect(name, config):
            assert np.abs(gradient).max() < 1e-12, name
            assert np.abs(numeric[name]).max() < 1e-8, name
        else:
            assert relative_error(numeric[name], gradient) <= TOLERANCE, name
    if dx is not None:
        assert relative_error(numeric_gradient(scalar, x), dx) <= TOLERANCE, "dx"


def assert_slopes(layer: AnyLayer, parameters: Parameters, x: Ids, config: ModelConfig) -> None:
    """As `assert_gradients`, in three random directions of every part and not along every entry of it.

    A gradient that is off by a vector e is off by |e| times a normal number in such a direction. This takes a
    fifth of the time, although the differences are of fourth order, and models may be sharply curved.
    """
    rng = np.random.default_rng(6)
    dy = rng.standard_normal(layer.forward(x).shape)
    parameters.grads[...] = rng.standard_normal(parameters.grads.size)
    layer.forward(x)
    layer.backward(dy)
    analytic = dict(parts(parameters, parameters.grads.copy(), config))
    for name, view in parts(parameters, parameters.values, config):
        norm = float(np.linalg.norm(analytic[name]))
        if has_no_effect(name, config):
            assert norm < 1e-12, name
            bound = 1e-8
        else:
            assert norm > 0, name
            bound = TOLERANCE * norm
        for _ in range(3):
            direction = rng.standard_normal(view.shape)
            numeric = numeric_slope(lambda: float((layer.forward(x) * dy).sum()), view, direction)
            assert abs(numeric - (analytic[name] * direction).sum()) <= bound, name


def assert_overwrites(layer: AnyLayer, parameters: Parameters, x: Floats | Ids) -> None:
    """A second backward leaves the same gradients, to the bit, whatever was there, and the same dx."""
    dy = random_vectors(*layer.forward(x).shape, seed=4)
    parameters.grads[...] = 0
    first = layer.backward(dy)
    first = None if first is None else first.copy()
    once = parameters.grads.copy()
    assert np.abs(once).max() > 0
    for garbage in (np.nan, 1e6):
        parameters.grads[...] = garbage
        layer.forward(x)
        second = layer.backward(dy)
        np.testing.assert_array_equal(parameters.grads, once)
        if first is not None:
            np.testing.assert_array_equal(second, first)


def assert_stays_float32(layer: AnyLayer, parameters: Parameters, x: Floats | Ids) -> None:
    """Nothing that the layer returns or keeps is float64, and its gradients are not either."""
    y = layer.forward(x)
    assert y.dtype == np.float32
    dx = layer.backward(random_vectors(*y.shape, dtype=np.float32))
    assert dx is None or dx.dtype == np.float32
    assert parameters.grads.dtype == np.float32
    assert np.isfinite(parameters.grads).all()
    for name, kept in vars(layer).items():
        if isinstance(kept, np.ndarray) and np.issubdtype(kept.dtype, np.floating):
            assert kept.dtype == np.float32, name


def assert_forgets_shapes(layer: AnyLayer, parameters: Parameters, make_x: Callable[[int, int], Any]) -> None:
    """Output and gradients of a shape are the same bits whatever was run before it."""

    def results(b: int, t: int) -> list[Floats]:
        parameters.grads[...] = 0
        y = layer.forward(make_x(b, t)).copy()
        dx = layer.backward(random_vectors(*y.shape, seed=5))
        return [y, parameters.grads.copy(), *([] if dx is None else [dx.copy()])]

    fresh = results(2, 3)  # before the work arrays grow
    for B, T in ((1, 2), (3, 6), (6, 1), (2, 5)):
        results(B, T)
        for now, then in zip(results(2, 3), fresh, strict=True):
            np.testing.assert_array_equal(now, then)
