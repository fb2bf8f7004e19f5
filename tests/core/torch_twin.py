"""The same transformer in PyTorch, whose automatic differentiation knows nothing of our derivations."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from trajectory import CONFIG, RECIPE, Trajectory, examples

from tinychat.config import IGNORE, ModelConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Parameters

Weights = dict[str, Tensor]


def weights_of(parameters: Parameters, dtype: torch.dtype = torch.float64) -> Weights:
    """A leaf tensor by name for every parameter."""
    return {
        name: torch.tensor(view, dtype=dtype, requires_grad=True)
        for name, view in parameters.views(parameters.values)
    }


def gradients_of(weights: Weights) -> dict[str, Floats]:
    return {name: tensor.grad.numpy() for name, tensor in weights.items() if tensor.grad is not None}


def embedding(w: Weights, name: str, ids: Tensor) -> Tensor:
    return F.embedding(ids, w[f"{name}.w_token"]) + w[f"{name}.w_position"][: ids.shape[1]]


def layer_norm(w: Weights, name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], w[f"{name}.gain"], w[f"{name}.bias"], eps=1e-5)


def attention(w: Weights, name: str, x: Tensor, n_heads: int) -> Tensor:
    B, T, D = x.shape
    q, k, v = (
        part.view(B, T, n_heads, D // n_heads).transpose(1, 2)
        for part in (x @ w[f"{name}.w_qkv"]).chunk(3, -1)
    )
    scores = q @ k.transpose(-1, -2) / (D // n_heads) ** 0.5
    later = torch.ones(T, T, dtype=torch.bool).triu(1)
    mixed = torch.softmax(scores.masked_fill(later, float("-inf")), -1) @ v
    return mixed.transpose(1, 2).reshape(B, T, D)


def feed_forward(w: Weights, name: str, x: Tensor) -> Tensor:
    h = F.relu(F.linear(x, w[f"{name}.w_up"].T, w[f"{name}.b_up"]))
    return F.linear(h, w[f"{name}.w_down"].T, w[f"{name}.b_down"])


def block(w: Weights, index: int, x: Tensor, n_heads: int) -> Tensor:
    a = layer_norm(w, f"norm1.{index}", x + attention(w, f"attention.{index}", x, n_heads))
    return layer_norm(w, f"norm2.{index}", a + feed_forward(w, f"feed_forward.{index}", a))


def output(w: Weights, name: str, x: Tensor) -> Tensor:
    return F.linear(x, w[f"{name}.w_out"].T, w[f"{name}.b_out"])


def transformer(w: Weights, config: ModelConfig, ids: Tensor) -> Tensor:
    x = embedding(w, "embedding", ids)
    for index in range(config.n_layers):
        x = block(w, index, x, config.n_heads)
    return output(w, "output", x)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE)


def clip(w: Weights, max_norm: float) -> float:
    """As torch.nn.utils.clip_grad_norm_, but without the 1e-6 that it adds to the norm it divides by."""
    grads = [tensor.grad for tensor in w.values() if tensor.grad is not None]
    norm = torch.cat([grad.flatten() for grad in grads]).norm()
    if norm > max_norm:
        for grad in grads:
            grad *= max_norm / norm
    return norm.item()


def clip_as_torch_does(w: Weights, max_norm: float) -> float:
    return torch.nn.utils.clip_grad_norm_(w.values(), max_norm).item()


def trajectory(dtype: torch.dtype, clip: Callable[[Weights, float], float] = clip) -> Trajectory:
    """Ten updates of torch.optim.Adam from the weights that `initialise` draws."""
    start = Transformer(CONFIG, np.float64).parameters.initialise(np.random.default_rng(0))
    w = weights_of(start, dtype)
    adam = torch.optim.Adam(w.values(), RECIPE.lr, (RECIPE.beta1, RECIPE.beta2), RECIPE.eps)
    losses, norms = [], []
    for ids, targets in examples():
        adam.zero_grad()
        loss = cross_entropy(transformer(w, CONFIG, torch.tensor(ids)), torch.tensor(targets))
        loss.backward()
        losses.append(loss.item())
        norms.append(clip(w, RECIPE.clip_norm))
        adam.step()
    by_name = {name: tensor.norm().item() for name, tensor in w.items()}
    return Trajectory(losses, norms, by_name, torch.cat([t.detach().flatten() for t in w.values()]).numpy())
