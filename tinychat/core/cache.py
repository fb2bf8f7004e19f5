"""Decoding with a cache: keys and values of all places that were read stay, so that no place is read twice.

Shapes are as everywhere: B rows, of which T places are new and n were read or are new.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tinychat.config import ModelConfig
from tinychat.core.attention import SelfAttention
from tinychat.core.decoding import DecodingFeedForward, DecodingNorm
from tinychat.core.feed_forward import FeedForward
from tinychat.core.layer import Layer
from tinychat.core.model import Transformer
from tinychat.core.norm import LayerNorm, RMSNorm
from tinychat.core.parameters import Floats, Ids
from tinychat.core.rotary import Rotary

_HIDDEN = -1e30
"""Score of what is not looked at. -inf would make NaN of padding, which may see nothing at all."""


class KVCache:
    """The texts that a model has read, one a row, and all that it needs to read on.

    It looks at the transformer's weights, which must not change meanwhile, and writes to none of the arrays
    that `forward` and `backward` work with.
    """

    def __init__(self, transformer: Transformer) -> None:
        config = transformer.config
        self._embedding, self._output = transformer.embedding, transformer.output
        self._max_seq_len = config.max_seq_len
        self._columns = Columns()
        self._attentions = [
            CachedAttention(block.attention, config, index, self._columns)
            for index, block in enumerate(transformer.blocks)
        ]
        self._residuals = []
        for block, attention in zip(transformer.blocks, self._attentions, strict=True):
            for residual in block.residuals:
                branch = [_decoding(layer, attention) for layer in residual.branch]
                after = None if residual.after is None else _decoding(residual.after, attention)
                self._residuals.append((branch, after))
        self._norm = None if transformer.norm is None else DecodingNorm(transformer.norm)

    def prefill(self, rows: Sequence[Sequence[int]]) -> Floats:
        """Read B rows, each of one token to max_seq_len, in place of all that was read before.

        Return the logits of the token behind each row, shape (B, V).
        """
        lengths = [len(row) for row in rows]
        longest, shortest = max(lengths), min(lengths)
        if not 1 <= shortest <= longest <= self._max_seq_len:
            raise ValueError(f"a row must have 1 to {self._max_seq_len} tokens, not {shortest} or {longest}")
        ids = np.zeros((len(rows), longest), np.int64)
        for b, row in enumerate(rows):
            ids[b, longest - len(row) :] = row
        self._columns.begin_rows(lengths)
        for attention in self._attentions:
            attention.make_room(len(rows), self._max_seq_len + longest - shortest)
        return self._read(ids)

    def decode_step(self, tokens: Sequence[int]) -> Floats:
        """Read one more token in each of the B rows; return the logits of the next, shape (B, V).

        Raise ValueError if a row is as long as the context already.
        """
        if self._columns.longest == self._max_seq_len:
            raise ValueError(f"a row has {self._max_seq_len} tokens already; go on without it, see `keep`")
        self._columns.begin_column()
        return self._read(np.array(tokens)[:, None])

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these of the rows, in this order; one that is named twice is there twice."""
        if list(rows) != list(range(self._columns.n_rows)):
            self._columns.keep(rows)
            for attention in self._attentions:
                attention.keep(rows)

    def _read(self, ids: Ids) -> Floats:
        """Map ids of the new places, of shape (B, T), to the logits behind the last, of shape (B, V)."""
        B, T = ids.shape
        embedding, output = self._embedding, self._output
        x = embedding.w_token.take(ids.ravel(), axis=0)  # (B T, D)
        if embedding.scale != 1:
            x *= embedding.scale
        if embedding.positions is not None:
            by_row = x.reshape(B, 1, T, -1)
            by_row += embedding.positions[self._columns.places]
        for branch, after in self._residuals:
            y = x
            for layer in branch:
                y = layer(y)
            y += x
            x = y if after is None else after(y)
        x = x[T - 1 :: T]  # (B, D)
        if self._norm is not None:
            x = self._norm(x)
        logits: Floats = np.dot(x, output.w_out)
        if output.b_out is not None:
            logits += output.b_out
        if output.cap is not None:
            logits *= 1 / output.cap
            np.tanh(logits, out=logits)
            logits *= output.cap
        return logits


def _decoding(layer: Layer, attention: "CachedAttention") -> Callable[[Floats], Floats]:
    """The form for decoding of a layer; `attention` is that of its block."""
    if isinstance(layer, LayerNorm | RMSNorm):
        return DecodingNorm(layer)
    return DecodingFeedForward(layer) if isinstance(layer, FeedForward) else attention


class Columns:
    """Where the rows of a cache stand: all end in the same column, and shorter ones begin later.

    So the new places of all rows are the same columns, and one slice writes them.
    """

    def __init__(self) -> None:
        self.n_rows = self.longest = 0
        self.begin = self.end = 0  # of the new places
        self._pads: Ids | None = None  # (B, 1, 1, 1, 1): empty columns before each row, where there are any

    def begin_rows(self, lengths: Sequence[int]) -> None:
        """New rows, of so many tokens each."""
        self.begin, self.end = 0, max(lengths)
        self._set_pads(self.end - np.array(lengths))

    def begin_column(self) -> None:
        """One more token in each row."""
        self.begin, self.end = self.end, self.end + 1
        self.longest += 1

    def keep(self, rows: Sequence[int]) -> None:
        pads = np.zeros(self.n_rows, np.int64) if self._pads is None else self._pads.ravel()
        self._set_pads(pads[list(rows)])

    def _set_pads(self, pads: Ids) -> None:
        self.n_rows, self.longest = len(pads), self.end - int(pads.min())
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
        self.layer, self.columns = layer, columns
        self.window = config.sliding_window if config.is_sliding(index) else None
        # What happens to queries and keys before they meet; both are turned alike.
        self._norms = [
            DecodingNorm(norm)
            for norm in (*layer.q_layers, *layer.k_layers)
            if isinstance(norm, LayerNorm | RMSNorm)
        ]
        self._rotary = next((other for other in layer.q_layers if isinstance(other, Rotary)), None)

    def make_room(self, n_rows: int, n_columns: int) -> None:
        """Forget what was read, for rows that may grow to `n_columns`."""
        layer = self.layer
        shape, dtype = (n_rows, layer.n_kv_heads, n_columns, layer.head_dim), layer.w_qkv.dtype
        self.keys, self.values = np.empty(shape, dtype), np.empty(shape, dtype)  # keys times 1 / sqrt(E)

    def keep(self, rows: Sequence[int]) -> None:
        n, old = self.columns.end, (self.keys, self.values)
        self.make_room(len(rows), self.keys.shape[2])
        for array, before in zip((self.keys, self.values), old, strict=True):
            array[:, :, :n] = before[list(rows), :, :n]

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
