"""Attention with a memory, for decoding: new places look at all that were read before.

Shapes are as everywhere: B rows, of which T places are new and n were read or are new.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinychat.config import ModelConfig
from tinychat.core.attention import SelfAttention
from tinychat.core.decoding import DecodingNorm
from tinychat.core.norm import LayerNorm, RMSNorm
from tinychat.core.parameters import Floats, Ids
from tinychat.core.rotary import Rotary

_HIDDEN = -1e30
"""Score of what is not looked at. -inf would make NaN of padding, which may see nothing at all."""
_IN_RANGE = 40
"""A float32 holds the sum of exp(s) for many s of at most this, and exp(-s) still counts in such a sum."""


class Columns:
    """Where the rows of a cache stand: all end in the same column, the longest begin in the first.

    So the new places of all rows are the same columns, and one slice writes them.
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self.begin = self.end = 0  # of the new places
        self._pads: Ids | None = None  # (B, 1, 1, 1, 1): empty columns before each row, where there are any

    def begin_rows(self, lengths: Sequence[int]) -> None:
        """New rows, of so many tokens each."""
        self.begin, self.end = 0, max(lengths)
        self._set_pads(self.end - np.array(lengths))

    def begin_column(self) -> None:
        """One more token in each row."""
        self.begin, self.end = self.end, self.end + 1

    def keep(self, rows: Sequence[int]) -> slice:
        """Go on with these rows. Return the columns in which they stand, which become the first."""
        pads = np.zeros(self.n_rows, np.int64) if self._pads is None else self._pads.ravel()
        pads = pads[list(rows)]
        columns = slice(int(pads.min()), self.end)
        self.begin, self.end = max(0, self.begin - columns.start), self.end - columns.start
        self._set_pads(pads - columns.start)
        return columns

    def _set_pads(self, pads: Ids) -> None:
        self.n_rows = len(pads)
        self._pads = pads.reshape(-1, 1, 1, 1, 1) if pads.any() else None

    @property
    def places(self) -> slice | Ids:
        """Of the new tokens in their rows, as an index: an array with a line a place gives (T, ...) by it,
        or (B, 1, T, ...)."""
        if self._pads is None:
            return slice(self.begin, self.end)
        places: Ids = np.maximum(np.arange(self.begin, self.end) - self._pads[:, 0, 0], 0)
        return places

    def seen(self, window: int | None) -> tuple[int, NDArray[np.bool_] | None]:
        """The first column that a new place may look at, and from there on which it may not.

        The latter of shape (T, n) or (B, 1, 1, T, n), n columns from the first on; None: it may look at all.
        """
        first = 0 if window is None else max(0, self.begin + 1 - window)
        if self.end - self.begin == 1 and self._pads is None:
            return first, None
        query, key = np.arange(self.begin, self.end)[:, None], np.arange(first, self.end)
        hidden = key > query
        if window is not None:
            hidden |= key <= query - window
        return first, hidden if self._pads is None else hidden | (key < self._pads)


class CachedAttention:
    """As SelfAttention, without a backward: new places look at all that were read, and are remembered."""

    def __init__(self, layer: SelfAttention, config: ModelConfig, index: int, columns: Columns) -> None:
        self.layer, self.columns, self.max_seq_len = layer, columns, config.max_seq_len
        self.window = config.sliding_window if config.is_sliding(index) else None
        # What happens to queries and keys before they meet; both are turned alike.
        self._norms = [
            DecodingNorm(norm)
            for norm in (*layer.q_layers, *layer.k_layers)
            if isinstance(norm, LayerNorm | RMSNorm)
        ]
        self._rotary = next((other for other in layer.q_layers if isinstance(other, Rotary)), None)
        # For a place alone: where its heads are computed, and what of them is asked and remembered. A single
        # head is a vector, and the products are those of np.dot, which takes half the time of np.matmul.
        H, K, E, dtype = layer.n_heads, layer.n_kv_heads, layer.head_dim, layer.w_qkv.dtype
        self._groups = (K, H // K) if H > 1 else ()
        self._product = np.matmul if H > 1 else np.dot
        self._qkv, self._mixed = np.empty((H + 2 * K) * E, dtype), np.empty((*self._groups, E + 1), dtype)
        self._heads = np.empty(H * E, dtype)
        heads = self._qkv.reshape(H + 2 * K, E)
        self._qk, self._k, self._v = heads[: H + K], heads[H : H + K], heads[H + K :]
        self._q, self._sums = heads[:H].reshape(*self._groups, E), self._mixed[..., :-1]
        self._totals = self._mixed[..., -1:] if H > 1 else self._mixed[-1:].reshape(())
        self._by_group = self._heads.reshape(*self._groups, E)
        self._scale = np.array(layer.scale, dtype)

    def make_room(self, n_rows: int) -> None:
        """Forget what was read, for so many rows."""
        layer = self.layer
        K, E, n, dtype = layer.n_kv_heads, layer.head_dim, self.max_seq_len, layer.w_qkv.dtype
        self.keys = np.empty((n_rows, K, n, E), dtype)  # times 1 / sqrt(E)
        # Behind each value stands a 1, so that weighted sums of values end with the sum of the weights.
        self.values = np.empty((n_rows, K, n, E + 1), dtype)
        self.values[..., E] = 1
        # Of a row alone: place by place, to be written, and as the products take them.
        self._new_keys, self._new_values = (
            self.keys[0].swapaxes(0, 1),
            self.values[0, ..., :-1].swapaxes(0, 1),
        )
        row = 0 if self._groups else (0, 0)
        self._row_keys, self._row_values = self.keys[row].swapaxes(-1, -2), self.values[row]

    def keep(self, rows: Sequence[int], columns: slice) -> None:
        """Go on with these rows, and of their columns with these."""
        old = (self.keys, self.values)
        self.make_room(len(rows))
        for array, before in zip((self.keys, self.values), old, strict=True):
            array[:, :, : self.columns.end] = before[list(rows), :, columns]

    def __call__(self, x: Floats) -> Floats:
        """Map x of shape (B T, D), or of shape (D,), a place alone, to y of that shape."""
        layer = self.layer
        y = self._one(x) if x.ndim == 1 else self._many(x)
        if layer.w_o is not None:
            y = y.dot(layer.w_o)
            if layer.b_o is not None:
                y += layer.b_o
        return y

    def _one(self, x: Floats) -> Floats:
        """The heads of one place of one row, joined, of shape (H E,)."""
        layer, place = self.layer, self.columns.begin
        x.dot(layer.w_qkv, self._qkv)
        if layer.b_qkv is not None:
            self._qkv += layer.b_qkv
        if self._norms or self._rotary is not None:
            self._place_(self._qk, place)
        np.multiply(self._k, self._scale, out=self._new_keys[place])
        self._new_values[place] = self._v
        n = place + 1
        first = 0 if self.window is None else max(0, n - self.window)
        scores = self._product(self._q, self._row_keys[..., first:n])  # (K, G, n), or (n,) for one head
        self._product(exp_(scores), self._row_values[..., first:n, :], out=self._mixed)
        np.divide(self._sums, self._totals, out=self._by_group)
        return self._heads

    def _many(self, x: Floats) -> Floats:
        """The heads of B T places, joined, of shape (B T, H E)."""
        layer, begin, end = self.layer, self.columns.begin, self.columns.end
        B, T = self.columns.n_rows, end - begin
        H, K, E = layer.n_heads, layer.n_kv_heads, layer.head_dim
        qkv = x.dot(layer.w_qkv)
        if layer.b_qkv is not None:
            qkv += layer.b_qkv
        heads = qkv.reshape(B, T, H + 2 * K, E).swapaxes(1, 2)
        qk = heads[:, : H + K]
        self._place_(qk, self.columns.places)
        np.multiply(qk[:, H:], layer.scale, out=self.keys[:, :, begin:end])
        self.values[:, :, begin:end, :E] = heads[:, H + K :]
        first, hidden = self.columns.seen(self.window)
        # The queries of a group stand as rows against the same keys.
        q = qk[:, :H].reshape(B, K, H // K * T, E)
        scores = np.matmul(q, self.keys[:, :, first:end].swapaxes(-1, -2))  # (B, K, G T, n)
        if hidden is not None:
            np.copyto(scores.reshape(B, K, H // K, T, end - first), _HIDDEN, where=hidden)
        mixed = np.matmul(exp_(scores), self.values[:, :, first:end])  # (B, K, G T, E + 1)
        y: Floats = mixed[..., :E] / mixed[..., E:]
        return y.reshape(B, H, T, E).swapaxes(1, 2).reshape(B * T, H * E)

    def _place_(self, qk: Floats, places: int | slice | Ids) -> None:
        """Make queries and keys, of shape (B, H + K, T, E) or (H + K, E), what meets: normalised, turned."""
        if self._norms:
            H, axis = self.layer.n_heads, qk.ndim // 3
            for norm, part in zip(self._norms, np.split(qk, [H], axis=axis), strict=True):
                norm(part)
        if self._rotary is not None:
            halves = qk.reshape(*qk.shape[:-1], 2, qk.shape[-1] // 2)
            turned = halves * self._rotary.cos[places]
            turned += halves[..., ::-1, :] * self._rotary.sin[places]
            halves[...] = turned


def exp_(scores: Floats) -> Floats:
    """exp of scores of shape (..., n), in place, each row of them times a factor that keeps it in range.

    The factor is exp(-highest); of a vector alone 1, unless its highest is far out.
    """
    if scores.ndim > 1:
        scores -= np.maximum.reduce(scores, -1, keepdims=True)
    elif not -_IN_RANGE < (highest := scores.item(scores.argmax())) < _IN_RANGE:
        scores -= highest
    return np.exp(scores, out=scores)
