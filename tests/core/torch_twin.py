"""The same transformer in PyTorch, whose automatic differentiation knows nothing of our derivations."""

import math
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from trajectory import CONFIG, RECIPE, SEED, Trajectory, examples

from tinychat.config import IGNORE, ModelConfig, TrainConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats, Parameters

Weights = dict[str, Tensor]
Masks = Iterator[Floats | None]
"""What dropout multiplies by, in the order in which numbers are dropped."""
NO_MASKS: Masks = iter(())


def weights_of(parameters: Parameters, dtype: torch.dtype = torch.float64) -> Weights:
    """A leaf tensor by name for every parameter."""
    return {
        name: torch.tensor(view, dtype=dtype, requires_grad=True)
        for name, view in parameters.views(parameters.values)
    }


def gradients_of(weights: Weights) -> dict[str, Floats]:
    return {name: tensor.grad.numpy() for name, tensor in weights.items() if tensor.grad is not None}


def embedding(w: Weights, name: str, ids: Tensor, config: ModelConfig, masks: Masks = NO_MASKS) -> Tensor:
    T, D = ids.shape[1], config.d_model
    y = F.embedding(ids, w[f"{name}.w_token"])
    if config.embedding_scale:
        y = y * math.sqrt(D)
    if config.positions == "learned":
        y = y + F.embedding(torch.arange(T), w[f"{name}.w_position"])
    elif config.positions == "sinusoidal":
        turns = torch.exp(1j * torch.outer(torch.arange(T), 1e4 ** -(torch.arange(0, D, 2).to(y) / D)))
        y = y + torch.view_as_real(turns).flip(-1).reshape(T, D)  # sine before cosine
    return drop(y, masks)


def drop(x: Tensor, masks: Masks) -> Tensor:
    """As dropout with the next of the masks; if there are no more, as outside training."""
    mask = next(masks, None)
    return x if mask is None else x * torch.tensor(mask)


def norm(w: Weights, name: str, x: Tensor, config: ModelConfig) -> Tensor:
    gain = w[f"{name}.gain"]
    if config.norm == "rmsnorm":
        return F.rms_norm(x, gain.shape, gain, config.norm_eps)
    return F.layer_norm(x, gain.shape, gain, w.get(f"{name}.bias"), config.norm_eps)


def turned(x: Tensor, theta: float) -> Tensor:
    """Rotary positions as Hugging Face's Llama has them: x cos + rotate_half(x) sin."""
    T, E = x.shape[-2:]
    frequencies = 1 / theta ** (torch.arange(0, E, 2, dtype=x.dtype) / E)
    angles = torch.outer(torch.arange(T, dtype=x.dtype), frequencies).repeat(1, 2)
    first, second = x.chunk(2, -1)
    return x * angles.cos() + torch.cat([-second, first], -1) * angles.sin()


def attention(
    w: Weights, name: str, x: Tensor, config: ModelConfig, index: int = 0, masks: Masks = NO_MASKS
) -> Tensor:
    T, H, K, E = x.shape[1], config.n_heads, config.n_kv_heads, config.head_dim
    is_sliding = bool(config.layer_types) and config.layer_types[index] == "sliding"
    qkv = F.linear(x, w[f"{name}.w_qkv"].T, w.get(f"{name}.b_qkv"))
    q, k, v = (part.unflatten(-1, (-1, E)).transpose(1, 2) for part in qkv.split([H * E, K * E, K * E], -1))
    if config.qk_norm:
        q, k = norm(w, f"{name}.q_norm", q, config), norm(w, f"{name}.k_norm", k, config)
    if config.positions == "rope":
        theta = config.rope_local_theta if is_sliding and config.rope_local_theta else config.rope_theta
        q, k = turned(q, theta), turned(k, theta)
    k, v = k.repeat_interleave(H // K, 1), v.repeat_interleave(H // K, 1)
    back = torch.arange(T)[:, None] - torch.arange(T)
    seen = back >= 0
    if is_sliding and config.sliding_window is not None:
        seen = seen & (back < config.sliding_window)
    # Not F.scaled_dot_product_attention: in float32 on a processor, its weights after the ten updates of the
    # classic run are a hundred times as far from those in float64.
    scores = q @ k.transpose(-1, -2) / math.sqrt(E)
    weights = torch.softmax(scores.masked_fill(~seen, float("-inf")), -1)
    mixed = drop(weights, masks) @ v
    y = mixed.transpose(1, 2).flatten(2)
    return F.linear(y, w[f"{name}.w_o"].T, w.get(f"{name}.b_o")) if config.attention_output else y


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
}


def feed_forward(w: Weights, name: str, x: Tensor, config: ModelConfig, masks: Masks = NO_MASKS) -> Tensor:
    bend = ACTIVATIONS[config.activation]
    if config.gated:
        gate, up = F.linear(x, w[f"{name}.w_gate_up"].T, w.get(f"{name}.b_gate_up")).chunk(2, -1)
        h = bend(gate) * up
    else:
        h = bend(F.linear(x, w[f"{name}.w_up"].T, w.get(f"{name}.b_up")))
    return drop(F.linear(h, w[f"{name}.w_down"].T, w.get(f"{name}.b_down")), masks)


def block(w: Weights, index: int, x: Tensor, config: ModelConfig, masks: Masks = NO_MASKS) -> Tensor:
    def attend(x: Tensor) -> Tensor:
        return attention(w, f"attention.{index}", x, config, index, masks)

    def feed(x: Tensor) -> Tensor:
        return feed_forward(w, f"feed_forward.{index}", x, config, masks)

    for number, sub_layer in ((1, attend), (2, feed)):
        outer = f"norm{number}.{index}"
        if config.norm_position == "post":
            x = norm(w, outer, x + sub_layer(x), config)
            continue
        y = sub_layer(norm(w, outer, x, config))
        x = x + (norm(w, f"post_{outer}", y, config) if config.norm_position == "sandwich" else y)
    return x


def output(w: Weights, name: str, x: Tensor, config: ModelConfig) -> Tensor:
    weight = w["embedding.w_token"] if config.tie_embeddings else w[f"{name}.w_out"].T
    logits = F.linear(x, weight, w.get(f"{name}.b_out"))
    return (
        logits
        if config.logit_softcap is None
        else logits.div(config.logit_softcap).tanh() * config.logit_softcap
    )


def transformer(w: Weights, config: ModelConfig, ids: Tensor, masks: Masks = NO_MASKS) -> Tensor:
    x = embedding(w, "embedding", ids, config, masks)
    for index in range(config.n_layers):
        x = block(w, index, x, config, masks)
    if config.norm_position != "post":
        x = norm(w, "norm", x, config)
    return output(w, "output", x, config)


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


@cache
def trajectory(
    dtype: torch.dtype,
    clip: Callable[[Weights, float], float] = clip,
    config: ModelConfig = CONFIG,
    recipe: TrainConfig = RECIPE,
    seed: int = SEED,
) -> Trajectory:
    """Ten updates of torch.optim.Adam from the weights that `initialise` draws."""
    start = Transformer(config, np.float64).parameters.initialise(np.random.default_rng(seed))
    w = weights_of(start, dtype)
    adam = torch.optim.Adam(w.values(), recipe.lr, (recipe.beta1, recipe.beta2), recipe.eps)
    losses, norms = [], []
    for ids, targets in examples():
        adam.zero_grad()
        loss = cross_entropy(transformer(w, config, torch.tensor(ids)), torch.tensor(targets))
        loss.backward()
        losses.append(loss.item())
        norms.append(clip(w, recipe.clip_norm))
        adam.step()
    by_name = {name: tensor.norm().item() for name, tensor in w.items()}
    values = torch.cat([t.detach().flatten() for t in w.values()]).numpy()
    return Trajectory(losses, norms, by_name, values)
