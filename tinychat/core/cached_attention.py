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

    def make_room(self, n_rows: int) -> None:
        """Forget what was read, for so many rows."""
        layer = self.layer
        shape, dtype = (n_rows, layer.n_kv_heads, self.max_seq_len, layer.head_dim), layer.w_qkv.dtype
        self.keys, self.values = np.empty(shape, dtype), np.empty(shape, dtype)  # keys times 1 / sqrt(E)

    def keep(self, rows: Sequence[int], columns: slice) -> None:
        """Go on with these rows, and of their columns with these."""
        old = (self.keys, self.values)
        self.make_room(len(rows))
        for array, before in zip((self.keys, self.values), old, strict=True):
            array[:, :, : self.columns.end] = before[list(rows), :, columns]

    def __call__(self, x: Floats) -> Floats:
        """Map x of shape (B T, D) to y of that shape."""
        layer, begin, end = self.layer, self.columns.begin, self.columns.end
        B, T = self.columns.n_rows, end - begin
        H, K, E = layer.n_heads, layer.n_kv_heads, layer.head_dim
        qkv = np.dot(x, layer.w_qkv)
        if layer.b_qkv is not None:
            qkv += layer.b_qkv
        heads = qkv.reshape(B, T, H + 2 * K, E).swapaxes(1, 2)
        qk = self._placed(heads[:, : H + K])
        np.multiply(qk[:, H:], layer.scale, out=self.keys[:, :, begin:end])
        self.values[:, :, begin:end] = heads[:, H + K :]
        first, hidden = self.columns.seen(self.window)
        # The queries of a group stand as rows against the same keys.
        q = qk[:, :H].reshape(B, K, H // K * T, E)
        scores = np.matmul(q, self.keys[:, :, first:end].swapaxes(-1, -2))  # (B, K, G T, n)
        if hidden is not None:
            np.copyto(scores.reshape(B, K, H // K, T, end - first), _HIDDEN, where=hidden)
        scores -= np.maximum.reduce(scores, -1, keepdims=True)
        np.exp(scores, out=scores)
        mixed = np.matmul(scores, self.values[:, :, first:end])  # (B, K, G T, E)
        mixed /= np.add.reduce(scores, -1, keepdims=True)  # softmax; E numbers are fewer than n
        y: Floats = mixed.reshape(B, H, T, E).swapaxes(1, 2).reshape(B * T, H * E)
        if layer.w_o is not None:
            y = np.dot(y, layer.w_o)
            if layer.b_o is not None:
                y += layer.b_o
        return y

    def _placed(self, qk: Floats) -> Floats:
        """Queries and keys, of shape (B, H + K, T, E), as they meet: normalised and turned, if they are."""
        if self._norms:
            H = self.layer.n_heads
            q_norm, k_norm = self._norms
            qk = np.concatenate([q_norm(qk[:, :H]), k_norm(qk[:, H:])], axis=1)
        if self._rotary is None:
            return qk
        B, n, T, E = qk.shape
        places = self.columns.places
        halves = qk.reshape(B, n, T, 2, E // 2)
        turned: Floats = halves * self._rotary.cos[places]
        turned += halves[..., ::-1, :] * self._rotary.sin[places]
        return turned.reshape(B, n, T, E)
