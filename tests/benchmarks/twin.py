"""The model family in PyTorch, as one would write it there to be fast, with the weights of one of ours.

    python tests/benchmarks/twin.py --check

trains ours and the twin from the same weights on the same batches, and says how far their losses part.
"""

import argparse
from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from batches import updates
from learner import Learner, as_tensors
from measure import print_table, torch_threads
from recipes import RECIPES
from torch import Tensor, nn

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer
from tinychat.training.optimizer import clip_by_global_norm_, make_optimizer
from tinychat.training.run import TrainingRun

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}
Turn = tuple[Tensor, Tensor]
"""Cosines and sines of rotary positions."""


class Cache:
    """Keys and values of the places of one row that were read, in memory for a whole context."""

    def __init__(self, config: ModelConfig) -> None:
        shape = (config.n_layers, 1, config.n_kv_heads, config.max_seq_len, config.head_dim)
        self.keys, self.values = torch.empty(shape), torch.empty(shape)
        self.n_read = 0

    def extended(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values of a layer, with those of new places."""
        stop = self.n_read + k.shape[2]
        self.keys[layer, :, :, self.n_read : stop] = k
        self.values[layer, :, :, self.n_read : stop] = v
        return self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]


class Norm(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.is_rms, self.eps = config.norm == "rmsnorm", config.norm_eps
        self.weight = nn.Parameter(torch.ones(config.d_model))
        has_bias = config.bias and not self.is_rms
        self.bias = nn.Parameter(torch.zeros(config.d_model)) if has_bias else None

    def forward(self, x: Tensor) -> Tensor:
        if self.is_rms:
            return F.rms_norm(x, self.weight.shape, self.weight, self.eps)
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


class Attention(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.n_heads, self.n_kv_heads, self.width = config.n_heads, config.n_kv_heads, config.head_dim
        joined = self.n_heads * self.width
        self.qkv = nn.Linear(config.d_model, joined + 2 * self.n_kv_heads * self.width, config.attention_bias)
        self.out = nn.Linear(joined, config.d_model, config.bias) if config.attention_output else None

    def forward(self, x: Tensor, turn: Turn | None, cache: Cache | None, layer: int) -> Tensor:
        H, K, E = self.n_heads, self.n_kv_heads, self.width
        qkv = self.qkv(x).unflatten(-1, (H + 2 * K, E)).transpose(1, 2)
        q, k, v = qkv.split([H, K, K], dim=1)
        if turn is not None:
            q, k = turned(q, *turn), turned(k, *turn)
        is_first = cache is None or cache.n_read == 0
        if cache is not None:
            k, v = cache.extended(layer, k, v)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=is_first, enable_gqa=H != K)
        y = y.transpose(1, 2).flatten(2)
        return y if self.out is None else self.out(y)


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class FeedForward(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gated, self.bend = config.gated, ACTIVATIONS[config.activation]
        self.up = nn.Linear(config.d_model, config.d_ff * (2 if config.gated else 1), config.bias)
        self.down = nn.Linear(config.d_ff, config.d_model, config.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.up(x)
        if not self.gated:
            return self.down(self.bend(x))
        gate, up = x.chunk(2, -1)
        return self.down(self.bend(gate) * up)


class Block(nn.Module):
    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.is_post, self.layer = config.norm_position == "post", layer
        self.attention, self.feed_forward = Attention(config), FeedForward(config)
        self.norm1, self.norm2 = Norm(config), Norm(config)

    def forward(self, x: Tensor, turn: Turn | None, cache: Cache | None) -> Tensor:
        if self.is_post:
            x = self.norm1(x + self.attention(x, turn, cache, self.layer))
            return self.norm2(x + self.feed_forward(x))
        x = x + self.attention(self.norm1(x), turn, cache, self.layer)
        return x + self.feed_forward(self.norm2(x))


class Twin(nn.Module):
    """Post- or pre-norm, learned or rotary positions, plain or gated: what the measured recipes have."""

    def __init__(self, ours: Transformer) -> None:
        """With copies of the weights of `ours`."""
        super().__init__()
        config = self.config = ours.config
        self.token = nn.Embedding(config.vocab_size, config.d_model)
        learned = config.positions == "learned"
        self.position = nn.Embedding(config.max_seq_len, config.d_model) if learned else None
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.n_layers))
        self.norm = None if config.norm_position == "post" else Norm(config)
        self.output = nn.Linear(config.d_model, config.vocab_size, config.output_bias)
        if config.tie_embeddings:
            self.output.weight = self.token.weight
        turn = config.rope_theta ** (-torch.arange(0, config.head_dim, 2) / config.head_dim)
        angles = torch.outer(torch.arange(config.max_seq_len), turn).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self._copy(ours)

    def _copy(self, ours: Transformer) -> None:
        theirs = dict(self.named_parameters())
        with torch.no_grad():
            for name, value in ours.parameters.views(ours.parameters.values):
                target = theirs.pop(their_name(name))
                is_linear = value.ndim == 2 and not name.startswith("embedding.")
                target.copy_(torch.from_numpy(value.T if is_linear else value))
        assert not theirs, f"without weights: {list(theirs)}"

    def forward(self, ids: Tensor, cache: Cache | None = None, counted: Tensor | None = None) -> Tensor:
        """Ids of shape (B, T), which follow upon those in the cache, to logits of shape (B, T, V).

        With `counted`, a mask of shape (B, T), to those of its N places alone, of shape (N, V).
        """
        start = 0 if cache is None else cache.n_read
        stop = start + ids.shape[1]
        x = self.token(ids)
        turn = None
        if self.position is not None:
            x = x + self.position.weight[start:stop]
        else:
            turn = (self.cos[start:stop], self.sin[start:stop])
        for block in self.blocks:
            x = block(x, turn, cache)
        if cache is not None:
            cache.n_read = stop
        x = x if counted is None else x[counted]
        return self.output(x if self.norm is None else self.norm(x))


_PARTS = {"w_qkv": "qkv", "b_qkv": "qkv", "w_o": "out", "b_o": "out", "w_down": "down", "b_down": "down"}
_PARTS |= dict.fromkeys(("w_up", "b_up", "w_gate_up", "b_gate_up"), "up")
_TOP = {"w_token": "token.weight", "w_position": "position.weight", "w_out": "output.weight"}
_TOP |= {"b_out": "output.bias", "gain": "norm.weight", "bias": "norm.bias"}


def their_name(name: str) -> str:
    """`feed_forward.0.w_up` -> `blocks.0.feed_forward.up.weight`."""
    layer, *index, kind = name.split(".")
    if not index:
        return _TOP[kind]
    if layer.startswith("norm"):
        return f"blocks.{index[0]}.{layer}.{'weight' if kind == 'gain' else 'bias'}"
    return f"blocks.{index[0]}.{layer}.{_PARTS[kind]}.{'weight' if kind.startswith('w_') else 'bias'}"


def check(name: str, n_updates: int) -> tuple[float, float, float]:
    """Both losses at the end, and how far apart they were at most."""
    run = TrainingRun.start(*RECIPES[name]())
    phase, config = list(run.model.card.configs.items())[-1]
    # In float32 a number that ReLU takes may be above 0 here and below there, from rounding alone.
    transformer = Transformer(run.model.config, np.float64)
    transformer.parameters.values[...] = run.model.transformer.parameters.values
    learner = Learner(Twin(transformer).double(), config)
    optimizer = make_optimizer(config.optimizer, transformer.parameters)
    ours: list[float] = []
    theirs: list[float] = []
    for update in islice(updates(run, phase), n_updates):
        ours.append(transformer.loss_and_gradients(update.ids, update.targets).mean)
        clip_by_global_norm_(transformer.parameters.grads, config.clip_norm)
        optimizer.step(config, update.lr)
        theirs.append(float(learner.step(as_tensors([update])[0])))
    return ours[-1], theirs[-1], max(map(abs, np.subtract(ours, theirs)))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", required=True)
    parser.add_argument("--updates", type=int, default=30)
    parser.add_argument("--tolerance", type=float, default=1e-6, help="nats a token")
    args = parser.parse_args(arguments)
    with torch_threads(1):
        found = {name: check(name, args.updates) for name in RECIPES}
    rows = [
        [name, f"{ours:.5f}", f"{theirs:.5f}", f"{apart:.1e}"]
        for name, (ours, theirs, apart) in found.items()
    ]
    title = f"Does the twin learn as ours does, in {args.updates} updates from the same weights?"
    print_table(title, ["recipe", "our loss", "twin's loss", "farthest apart"], rows)
    return int(any(apart > args.tolerance for _, _, apart in found.values()))


if __name__ == "__main__":
    raise SystemExit(main())
