"""Causal self-attention (Vaswani et al. 2017, section 3.2), with heads that may share keys and values."""

import numpy as np

from tinychat.config import ModelConfig
from tinychat.core.dropout import Draws, Dropout
from tinychat.core.layer import Layer
from tinychat.core.linear import LinearGradients
from tinychat.core.norm import NORMS
from tinychat.core.parameters import Floats, ParameterScope, ParameterSpec, he
from tinychat.core.rotary import Rotary
from tinychat.core.scratch import Scratch
from tinychat.core.softmax import softmax_, softmax_backward_


class SelfAttention:
    """Every place takes a weighted mean of the values at its own and all earlier places.

    weights = softmax(q k^T / sqrt(E) + mask), heads = weights v, in each of H heads of width E. Each of the
    K heads of keys and values serves a group of G = H / K heads of queries (Ainslie et al. 2023).
    w_q, w_k and w_v stand side by side in one matrix, so that one product makes all three.
    """

    def __init__(self, scope: ParameterScope, config: ModelConfig, layer: int, draws: Draws) -> None:
        self.w_qkv, (self.b_qkv, _) = scope["w_qkv"], scope.optional("b_qkv")  # (D, W), (W,), W = (H + 2 K) E
        (self.w_o, _), (self.b_o, _) = scope.optional("w_o"), scope.optional("b_o")  # (H E, D), (D,)
        self.qkv_gradients = LinearGradients(scope, "w_qkv", "b_qkv")
        self.o_gradients = None if self.w_o is None else LinearGradients(scope, "w_o", "b_o")
        self.n_heads, self.n_kv_heads, self.head_dim = config.n_heads, config.n_kv_heads, config.head_dim
        self.scale = config.head_dim**-0.5
        dtype = self.w_qkv.dtype
        self.mask = causal_mask(config, layer).astype(dtype)
        # What happens to queries and keys before they meet.
        self.q_layers = _placing(scope, "q_norm", config, layer)
        self.k_layers = _placing(scope, "k_norm", config, layer)
        self.dropout = Dropout(config.dropout, draws, dtype)
        self._scratch = Scratch(dtype)

    @classmethod
    def specs(cls, config: ModelConfig, prefix: str) -> list[ParameterSpec]:
        D, E = config.d_model, config.head_dim
        joined, width = config.n_heads * E, (config.n_heads + 2 * config.n_kv_heads) * E
        specs = [ParameterSpec(f"{prefix}.w_qkv", (D, width), std=he(D))]
        if config.attention_bias:
            specs.append(ParameterSpec(f"{prefix}.b_qkv", (width,)))
        if config.qk_norm:
            for name in ("q_norm", "k_norm"):
                specs += NORMS[config.norm].specs(config, f"{prefix}.{name}", E)
        if config.attention_output:
            specs.append(ParameterSpec(f"{prefix}.w_o", (joined, D), std=he(joined)))
            if config.bias:
                specs.append(ParameterSpec(f"{prefix}.b_o", (D,)))
        return specs

    def forward(self, x: Floats) -> Floats:
        """Map x of shape (B, T, D) to y of shape (B, T, D)."""
        B, T, D = x.shape
        self.x = x.reshape(B * T, D)
        qkv = self._scratch("qkv", B, T, self.w_qkv.shape[1])
        scores = self._scratch("scores", B, self.n_heads, T, T)
        heads = self._scratch("heads", B, T, self.n_heads * self.head_dim)
        np.dot(self.x, self.w_qkv, out=qkv.reshape(B * T, -1))
        if self.b_qkv is not None:
            qkv += self.b_qkv
        q, k, v = self._parts(qkv)
        for layer in self.q_layers:
            q = layer.forward(q)
        for layer in self.k_layers:
            k = layer.forward(k)
        np.matmul(self._grouped(q), self._shared(k).swapaxes(-1, -2), out=self._grouped(scores))
        scores *= self.scale
        scores += self.mask[:T, :T]
        weights = softmax_(scores)
        dropped = self.dropout.forward(weights)
        np.matmul(self._grouped(dropped), self._shared(v), out=self._grouped(self._split(heads)))
        self.q, self.k, self.v, self.weights, self.dropped, self.heads = q, k, v, weights, dropped, heads
        if self.w_o is None:
            return heads
        y = self._scratch("y", B, T, D)
        np.dot(heads.reshape(B * T, -1), self.w_o, out=y.reshape(B * T, D))
        if self.b_o is not None:
            y += self.b_o
        return y

    def backward(self, dy: Floats) -> Floats:
        """Map dy of shape (B, T, D) to dx of shape (B, T, D).

        y = heads w_o + b_o:      dw_o = heads^T dy, db_o = sum dy, dheads = dy w_o^T
        heads = weights v:        dweights = dheads v^T, dv = weights^T dheads, summed over the group
        weights = softmax(s):     ds by softmax_backward_; a masked weight is 0, and so is its ds
        s = q k^T scale:          dq = scale ds k, dk = scale ds^T q, summed over the group
        [q k v] = x w_qkv + b:    dw_qkv = x^T [dq dk dv], db_qkv = sum [dq dk dv], dx = [dq dk dv] w_qkv^T
        """
        B, T, D = dy.shape
        dheads = self._backward_output(dy)
        dqkv = self._scratch("dqkv", B, T, self.w_qkv.shape[1])
        ddropped = self._scratch("ddropped", *self.weights.shape)
        dx = self._scratch("dx", B, T, D)
        dq_given, dk_given, dv = self._parts(dqkv)
        # With layers in between, gradients go through these first; without, straight to their places.
        dq = self._scratch("dq", *dq_given.shape) if self.q_layers else dq_given
        dk = self._scratch("dk", *dk_given.shape) if self.k_layers else dk_given
        np.matmul(self._grouped(dheads), self._shared(self.v).swapaxes(-1, -2), out=self._grouped(ddropped))
        np.matmul(self._stacked(self.dropped).swapaxes(-1, -2), self._stacked(dheads), out=dv)
        work = self._scratch("work", *self.weights.shape)
        dscores = softmax_backward_(self.weights, self.dropout.backward(ddropped), work)
        dscores *= self.scale
        np.matmul(self._grouped(dscores), self._shared(self.k), out=self._grouped(dq))
        np.matmul(self._stacked(dscores).swapaxes(-1, -2), self._stacked(self.q), out=dk)
        for layer in reversed(self.q_layers):
            dq = layer.backward(dq)
        for layer in reversed(self.k_layers):
            dk = layer.backward(dk)
        if self.q_layers:
            dq_given[...], dk_given[...] = dq, dk
        flat = dqkv.reshape(B * T, -1)
        self.qkv_gradients(self.x, flat)
        np.dot(flat, self.w_qkv.T, out=dx.reshape(B * T, D))
        return dx

    def _backward_output(self, dy: Floats) -> Floats:
        """Map dy of shape (B, T, D) to dheads of shape (B, H, T, E)."""
        if self.w_o is None or self.o_gradients is None:
            return self._split(dy)
        B, T, D = dy.shape
        flat = dy.reshape(B * T, D)
        dheads = self._scratch("dheads", *self.heads.shape)
        self.o_gradients(self.heads.reshape(B * T, -1), flat)
        np.dot(flat, self.w_o.T, out=dheads.reshape(B * T, -1))
        return self._split(dheads)

    def _parts(self, qkv: Floats) -> tuple[Floats, Floats, Floats]:
        """Views of q, of shape (B, H, T, E), and of k and v, each (B, K, T, E), into (B, T, (H + 2 K) E)."""
        B, T, width = qkv.shape
        H, K = self.n_heads, self.n_kv_heads
        heads = qkv.reshape(B, T, width // self.head_dim, self.head_dim).swapaxes(1, 2)
        return heads[:, :H], heads[:, H : H + K], heads[:, H + K :]

    def _split(self, joined: Floats) -> Floats:
        """View of shape (B, H, T, E) into (B, T, H E)."""
        B, T, _ = joined.shape
        return joined.reshape(B, T, self.n_heads, self.head_dim).swapaxes(1, 2)

    def _grouped(self, x: Floats) -> Floats:
        """View of shape (B, K, G, T, n) into (B, H, T, n); x itself where all groups are of one."""
        B, H, T, n = x.shape
        K = self.n_kv_heads
        return x if H == K else x.reshape(B, K, H // K, T, n)

    def _shared(self, x: Floats) -> Floats:
        """View of shape (B, K, 1, T, E) into (B, K, T, E), for a whole group; x itself where that is one."""
        return x if self.n_heads == self.n_kv_heads else x[:, :, None]

    def _stacked(self, x: Floats) -> Floats:
        """(B, K, G T, n) from (B, H, T, n): the queries of a group as rows against the same keys.

        A product over those rows sums over the group. Where groups of strided heads cannot be a view, this
        is a copy.
        """
        B, H, T, n = x.shape
        K = self.n_kv_heads
        if H == K:
            return x
        if not x.flags.c_contiguous:
            copy = self._scratch("stacked", *x.shape)
            copy[...] = x
            x = copy
        return x.reshape(B, K, H // K * T, n)


def causal_mask(config: ModelConfig, layer: int) -> Floats:
    """Added to the scores, shape (max_seq_len, max_seq_len): 0 where a place may look, else -inf.

    No place looks at a later one; in a sliding layer it looks at the last `sliding_window` places only.
    """
    mask = np.triu(np.full((config.max_seq_len,) * 2, -np.inf), 1)
    if config.is_sliding(layer) and config.sliding_window is not None:
        mask += np.tril(np.full_like(mask, -np.inf), -config.sliding_window)
    return mask


def _placing(scope: ParameterScope, norm_name: str, config: ModelConfig, layer: int) -> list[Layer]:
    """What the config has of a norm of every head's vector, and of a turn by its place."""
    layers: list[Layer] = []
    if config.qk_norm:
        layers.append(NORMS[config.norm](scope.inner(norm_name), config))
    if config.positions == "rope":
        local = config.rope_local_theta if config.is_sliding(layer) else None
        theta = local or config.rope_theta
        layers.append(Rotary(config.max_seq_len, config.head_dim, theta, scope["w_qkv"].dtype))
    return layers
