"""A transformer as the papers write it: a place and a head after the other, in float64, from its weights."""

import math
from typing import Any

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.parameters import Floats
from tinychat.model import Model

Weights = dict[str, Floats]


def weights_of(model: Model) -> Weights:
    parameters = model.transformer.parameters
    return {name: view.astype(np.float64) for name, view in parameters.views(parameters.values)}


def softmax(scores: Any) -> Floats:
    shares = np.exp(np.array(scores) - max(scores))
    return shares / shares.sum()


def norm(x: Floats, w: Weights, name: str, config: ModelConfig) -> Floats:
    """Of the last axis."""
    if config.norm == "layernorm":
        x = x - x.mean(axis=-1, keepdims=True)
    y = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + config.norm_eps) * w[f"{name}.gain"]
    return y + w.get(f"{name}.bias", 0.0)


def turned(x: Floats, place: int, theta: float) -> Floats:
    """A vector of E numbers by the angles of its place."""
    half = len(x) // 2
    y = x.copy()
    for i in range(half):
        angle = place * theta ** (-2 * i / len(x))
        y[i] = x[i] * math.cos(angle) - x[i + half] * math.sin(angle)
        y[i + half] = x[i + half] * math.cos(angle) + x[i] * math.sin(angle)
    return y


def attention(x: Floats, w: Weights, layer: int, config: ModelConfig) -> tuple[Floats, Floats]:
    """(T, D) -> what attention says, (T, D), and its weights, (H, T, T)."""
    T, H, K, E = len(x), config.n_heads, config.n_kv_heads, config.head_dim
    name, is_sliding = f"attention.{layer}", config.is_sliding(layer)
    joined = x @ w[f"{name}.w_qkv"] + w.get(f"{name}.b_qkv", 0.0)
    theta = (is_sliding and config.rope_local_theta) or config.rope_theta
    weights, heads = np.zeros((H, T, T)), np.zeros((T, H * E))
    for h in range(H):
        shared = h // (H // K)  # the head of keys and values that serves this head of queries
        q = joined[:, h * E : (h + 1) * E]
        k = joined[:, (H + shared) * E : (H + shared + 1) * E]
        v = joined[:, (H + K + shared) * E : (H + K + shared + 1) * E]
        if config.qk_norm:
            q, k = norm(q, w, f"{name}.q_norm", config), norm(k, w, f"{name}.k_norm", config)
        if config.positions == "rope":
            q = np.array([turned(row, t, theta) for t, row in enumerate(q)])
            k = np.array([turned(row, t, theta) for t, row in enumerate(k)])
        for t in range(T):
            first = max(0, t + 1 - config.sliding_window) if is_sliding and config.sliding_window else 0
            weights[h, t, first : t + 1] = softmax([q[t] @ k[s] / E**0.5 for s in range(first, t + 1)])
            heads[t, h * E : (h + 1) * E] = weights[h, t] @ v
    if config.attention_output:
        heads = heads @ w[f"{name}.w_o"] + w.get(f"{name}.b_o", 0.0)
    return heads, weights


def feed_forward(x: Floats, w: Weights, layer: int, config: ModelConfig) -> Floats:
    name = f"feed_forward.{layer}"
    bent = {
        "relu": lambda a: np.maximum(a, 0),
        "silu": lambda a: a / (1 + np.exp(-a)),
        "gelu_tanh": lambda a: a / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (a + 0.044715 * a**3))),
    }[config.activation]
    if config.gated:
        both = x @ w[f"{name}.w_gate_up"] + w.get(f"{name}.b_gate_up", 0.0)
        hidden = bent(both[:, : config.d_ff]) * both[:, config.d_ff :]
    else:
        hidden = bent(x @ w[f"{name}.w_up"] + w.get(f"{name}.b_up", 0.0))
    return hidden @ w[f"{name}.w_down"] + w.get(f"{name}.b_down", 0.0)


def states(model: Model, ids: list[int]) -> tuple[list[Floats], Floats]:
    """The L + 1 states behind embedding and blocks, each (T, D), and the attention weights (L, H, T, T)."""
    config, w = model.config, weights_of(model)
    x = w["embedding.w_token"][ids] * (config.d_model**0.5 if config.embedding_scale else 1.0)
    x = x + w["embedding.w_position"][: len(ids)] if config.positions == "learned" else x
    found, maps = [x], []

    def added(x: Floats, name: str, layer: int, said: Any) -> Floats:
        inner = x if config.norm_position == "post" else norm(x, w, f"{name}.{layer}", config)
        y = said(inner)
        if config.norm_position == "sandwich":
            y = norm(y, w, f"post_{name}.{layer}", config)
        return norm(x + y, w, f"{name}.{layer}", config) if config.norm_position == "post" else x + y

    for layer in range(config.n_layers):

        def attend(x: Floats, layer: int = layer) -> Floats:
            y, weights = attention(x, w, layer, config)
            maps.append(weights)
            return y

        x = added(x, "norm1", layer, attend)
        x = added(x, "norm2", layer, lambda x, layer=layer: feed_forward(x, w, layer, config))
        found.append(x)
    return found, np.array(maps)


def next_chances(model: Model, state: Floats) -> Floats:
    """(T, D) -> probabilities (T, V) of the next token, were the state the last one."""
    config, w = model.config, weights_of(model)
    if config.norm_position != "post":
        state = norm(state, w, "norm", config)
    w_out = w["embedding.w_token"].T if config.tie_embeddings else w["output.w_out"]
    logits = state @ w_out + w.get("output.b_out", 0.0)
    if config.logit_softcap:
        logits = config.logit_softcap * np.tanh(logits / config.logit_softcap)
    return np.array([softmax(row) for row in logits])
