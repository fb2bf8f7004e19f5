"""Running text: rows are windows onto one long stream of tokens, drawn anew in every epoch."""

from collections.abc import Generator
from functools import cached_property

import numpy as np

from tinychat.core.parameters import Ids
from tinychat.training.rows import Row


class WindowRows:
    """Stretches of a text from anywhere in it, each as long as the context, and one token more to predict.

    Where a sentence or a line ends does not matter: a model of running text learns that too (as nanoGPT does,
    https://github.com/karpathy/nanoGPT).
    """

    n_cut = 0

    def __init__(self, tokens: Ids, max_seq_len: int, count: int | None = None) -> None:
        """Of tokens, of shape (n,), have `count` windows in an epoch; None: as many as cover them."""
        self.tokens = tokens
        self.length = min(max_seq_len, len(tokens) - 1)
        """Of a window, without the token that is only predicted."""
        if self.length < 1:
            count = 0
        self.count = -(-(len(tokens) - 1) // self.length) if count is None else count
        self._counts = [True] * (self.length + 1)

    @cached_property
    def clean(self) -> list[Row]:
        """Windows at even distances from the first token to the last."""
        return self._rows(np.linspace(0, len(self.tokens) - 1 - self.length, self.count).astype(np.int64))

    def drawing(self, rng: np.random.Generator) -> Generator[None, None, list[Row]]:
        """Windows at random places, all places alike."""
        yield from ()
        return self._rows(rng.integers(len(self.tokens) - self.length, size=self.count))

    def _rows(self, starts: Ids) -> list[Row]:
        windows = self.tokens[starts[:, None] + np.arange(self.length + 1)]
        return [Row(window, self._counts) for window in windows.tolist()]


def split_text(tokens: Ids, validation: float) -> tuple[Ids, Ids]:
    """The beginning, to learn from, and the end of tokens of shape (n,), as large a share as `validation`.

    The end has two tokens at least, as far as there are any: one to read, and one to predict.
    """
    n_last = max(2, round(validation * len(tokens))) if validation else 0
    first = max(0, len(tokens) - n_last)
    return tokens[:first], tokens[first:]
