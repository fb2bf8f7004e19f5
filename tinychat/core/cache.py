"""Decoding with a cache: keys and values of all places that were read stay, so that no place is read twice.

B rows are read side by side, T places of each at a time: all of a prompt, and then one after the other.
Pope et al. 2022 tell what that costs in models a million times as large.
"""

from collections.abc import Callable, Sequence

import numpy as np

from tinychat.core.cached_attention import CachedAttention, Columns
from tinychat.core.decoding import DecodingFeedForward, DecodingNorm
from tinychat.core.feed_forward import FeedForward
from tinychat.core.layer import Layer
from tinychat.core.model import Transformer
from tinychat.core.norm import LayerNorm, RMSNorm
from tinychat.core.parameters import Floats, Ids


class KVCache:
    """The texts that a model has read, one a row, and all that it needs to read on.

    It looks at the transformer's weights, which must not change meanwhile, and writes to none of the arrays
    that `forward` and `backward` work with.
    """

    def __init__(self, transformer: Transformer) -> None:
        config = transformer.config
        self._embedding, self._output = transformer.embedding, transformer.output
        self._scale = np.array(self._embedding.scale, self._embedding.w_token.dtype)
        self._positions = self._embedding.positions
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
            attention.make_room(len(rows))
        return self._read(ids)

    def decode_step(self, tokens: Sequence[int]) -> Floats:
        """Read one more token in each of the B rows; return the logits of the next, shape (B, V).

        Raise ValueError if a row is as long as the context already, or if not every row has a token.
        """
        if self._columns.end == self._max_seq_len:
            raise ValueError(f"a row has {self._max_seq_len} tokens already; go on without it, see `keep`")
        if len(tokens) != self._columns.n_rows:
            raise ValueError(f"{self._columns.n_rows} rows need a token each, not {len(tokens)} tokens")
        self._columns.begin_column()
        if len(tokens) > 1:
            return self._read(np.array(tokens)[:, None])
        # A vector of shape (D,) takes half the calls that a matrix with one row does.
        x = self._embedding.w_token[tokens[0]] * self._scale
        if self._positions is not None:
            x += self._positions[self._columns.begin]
        return self._logits(self._through(x))[None]

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these of the rows, in this order; one that is named twice is there twice."""
        if list(rows) != list(range(self._columns.n_rows)):
            columns = self._columns.keep(rows)
            for attention in self._attentions:
                attention.keep(rows, columns)

    def _read(self, ids: Ids) -> Floats:
        """Map ids of the new places, of shape (B, T), to the logits behind the last, of shape (B, V)."""
        B, T = ids.shape
        x = self._embedding.w_token.take(ids.ravel(), axis=0)  # (B T, D)
        x *= self._scale
        if self._positions is not None:
            by_row = x.reshape(B, 1, T, -1)
            by_row += self._positions[self._columns.places]
        return self._logits(self._through(x)[T - 1 :: T])

    def _through(self, x: Floats) -> Floats:
        """All blocks, from x of shape (B T, D), or of shape (D,), a place alone, to that shape."""
        for branch, after in self._residuals:
            y = x if after else x.copy()  # a norm that comes first works in place
            for layer in branch:
                y = layer(y)
            y += x
            x = y if after is None else after(y)
        return x

    def _logits(self, x: Floats) -> Floats:
        """Map x of shape (..., D) to logits of shape (..., V)."""
        output = self._output
        if self._norm is not None:
            x = self._norm(x)
        logits: Floats = x.dot(output.w_out)
        if output.b_out is not None:
            logits += output.b_out
        if output.cap is not None:
            logits *= 1 / output.cap
            np.tanh(logits, out=logits)
            logits *= output.cap
        return logits


def _decoding(layer: Layer, attention: CachedAttention) -> Callable[[Floats], Floats]:
    """The form for decoding of a layer; `attention` is that of its block."""
    if isinstance(layer, LayerNorm | RMSNorm):
        return DecodingNorm(layer)
    return DecodingFeedForward(layer) if isinstance(layer, FeedForward) else attention
