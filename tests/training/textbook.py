"""The optimisers as their papers have them: slow, in float64, one array a parameter, nothing in place."""

from collections.abc import Callable, Sequence

import numpy as np

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats, Parameters, ParameterSpec
from tinychat.training.optimizer import Optimizer

SPECS = (
    ParameterSpec("embedding.w_token", (7, 6)),
    ParameterSpec("embedding.w_position", (5, 6)),
    ParameterSpec("attention.0.w_qkv", (6, 18)),
    ParameterSpec("norm1.0.gain", (6,)),
    ParameterSpec("feed_forward.0.w_up", (6, 9)),
    ParameterSpec("feed_forward.0.b_up", (9,)),
    ParameterSpec("feed_forward.0.w_down", (9, 6)),
    ParameterSpec("attention.1.w_o", (6, 6)),
    ParameterSpec("norm1.1.gain", (6,)),
    ParameterSpec("output.w_out", (6, 7)),
    ParameterSpec("output.b_out", (7,)),
)
"""Matrices wider than high, higher than wide and square, neighbours or not, and vectors between them."""
HIDDEN = {"attention.0.w_qkv", "feed_forward.0.w_up", "feed_forward.0.w_down", "attention.1.w_o"}
N = sum(spec.size for spec in SPECS)

Step = tuple[Floats, TrainConfig, float]
"""Gradient, config and learning rate of an update."""
Rule = Callable[[Floats, Sequence[Step]], Floats]


def small_parameters(dtype: type[np.floating] = np.float64, seed: int = 0) -> Parameters:
    parameters = Parameters(SPECS, dtype)
    parameters.values[...] = np.random.default_rng(seed).standard_normal(N)
    return parameters


def random_gradients(n: int, length: int = N, seed: int = 1) -> list[Floats]:
    """From far below eps to far above it, so that eps in the wrong place shows."""
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.uniform(-8, 1, length)
    return [sizes * rng.standard_normal(length) for _ in range(n)]


def update(optimizer: Optimizer, steps: Sequence[Step]) -> Floats:
    """The values after the steps."""
    for gradient, config, lr in steps:
        optimizer.parameters.grads[...] = gradient
        optimizer.step(config, lr)
    return optimizer.parameters.values


def by_the_book(parameters: Parameters, steps: Sequence[Step], kind: str) -> Floats:
    """What the steps make of the values of `parameters`, which stay as they are; ndarray of shape (P,)."""
    gradients = [dict(parameters.views(gradient.astype(np.float64))) for gradient, _, _ in steps]
    parts = []
    for name, value in parameters.views(parameters.values.astype(np.float64)):
        rule = adamw if kind == "muon" and name not in HIDDEN else RULES[kind]
        mine = [(g[name], config, lr) for g, (_, config, lr) in zip(gradients, steps, strict=True)]
        parts.append(rule(value, mine).ravel())
    return np.concatenate(parts)


def adamw(p: Floats, steps: Sequence[Step]) -> Floats:
    """Loshchilov & Hutter 2019, algorithm 2, with lr for eta_t in both places; only matrices decay."""
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, (g, c, lr) in enumerate(steps, start=1):
        m = c.beta1 * m + (1 - c.beta1) * g
        v = c.beta2 * v + (1 - c.beta2) * g**2
        m_hat = m / (1 - c.beta1**t)
        v_hat = v / (1 - c.beta2**t)
        p = p - lr * (m_hat / (np.sqrt(v_hat) + c.eps) + decay(c, p) * p)
    return p


def sgd(p: Floats, steps: Sequence[Step]) -> Floats:
    """Nesterov's momentum as PyTorch writes it; as Sutskever et al. 2013 do, it is in test_sgd.py."""
    m = np.zeros_like(p)
    for g, c, lr in steps:
        m = c.momentum * m + g
        p = p - lr * (g + c.momentum * m + decay(c, p) * p)
    return p


def muon(p: Floats, steps: Sequence[Step]) -> Floats:
    """Jordan et al. 2024, to the length of Liu et al. 2025: the polynomial on the singular values."""
    m = np.zeros_like(p)
    for g, c, lr in steps:
        m = c.momentum * m + g
        u, s, vt = np.linalg.svd(g + c.momentum * m, full_matrices=False)
        s = s / np.sqrt((s**2).sum())
        for _ in range(5):
            s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
        p = p - lr * (0.2 * max(p.shape) ** 0.5 * (u * s) @ vt + decay(c, p) * p)
    return p


def decay(config: TrainConfig, p: Floats) -> float:
    return config.weight_decay if p.ndim > 1 else 0.0


RULES: dict[str, Rule] = {"adam": adamw, "adamw": adamw, "sgd": sgd, "muon": muon}
