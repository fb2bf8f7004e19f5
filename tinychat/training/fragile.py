"""Which answers are the first to be lost when weights move: those that were nearly another one."""

from collections.abc import Sequence

import numpy as np

from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.corpus import Dialogue
from tinychat.tokenizer import Tokenizer
from tinychat.training.batches import Batch, to_batch
from tinychat.training.by_length import parts_by_length
from tinychat.training.replay import N_KEPT, spread
from tinychat.training.rows import dialogue_row
from tinychat.training.team import Team

N_READ = 7000
"""Dialogues of a large corpus that are looked at."""
N_FRAGILE = 300
"""Of those that are kept; the others are from all over the corpus."""
_ROWS = 32
_LOGITS = 1 << 24
"""At most so many at a time, beyond those of one row."""


def worth_rehearsing(dialogues: Sequence[Dialogue], team: Team, tokenizer: Tokenizer) -> list[Dialogue]:
    """All of a small corpus; of a large one N_KEPT, first those with right answers of the least margin.

    Raise WorkerError if another process is no longer there.
    """
    if len(dialogues) <= N_KEPT:
        return list(dialogues)
    read = spread(dialogues, N_READ)
    found = zip(margins(read, team, tokenizer), read, strict=True)
    right = [(margin, dialogue) for margin, dialogue in found if margin > 0]
    fragile = [dialogue for _, dialogue in sorted(right, key=lambda pair: pair[0])]
    kept = dict.fromkeys(fragile[:N_FRAGILE])
    others = [dialogue for dialogue in dialogues if dialogue not in kept]
    return [*kept, *spread(others, N_KEPT - len(kept))]


def margins(dialogues: Sequence[Dialogue], team: Team, tokenizer: Tokenizer) -> list[float]:
    """For each dialogue the least lead, in nats, of a token of its answers over the likeliest other one.

    Below 0 an answer is wrong; a dialogue with no answer within the context has infinity.
    Raise WorkerError if another process is no longer there.
    """
    config = team.transformer.config
    longest = config.max_seq_len + 1
    rows = [dialogue_row(dialogue, tokenizer, mask_prompt=True).cut(longest) for dialogue in dialogues]
    least = [np.inf] * len(rows)
    n = min(_ROWS, _LOGITS // (longest * config.vocab_size))
    parts = parts_by_length(rows, max(1, n))
    batches = [to_batch([rows[index] for index in part]) for part in parts]
    for part, found in zip(parts, team.read(leads, batches), strict=True):
        ends = np.cumsum([rows[index].n_predicted for index in part])[:-1]
        for index, lead in zip(part, np.split(found, ends), strict=True):
            least[index] = float(lead.min(initial=np.inf))
    return least


def leads(transformer: Transformer, batch: Batch) -> Floats:
    """By how many nats each token that counts is ahead of the likeliest other one, of shape (N,); the ids and
    targets of a batch are of shape (B, T)."""
    logits, targets = transformer.predictions(*batch)
    scores, places = logits[0], np.arange(targets.size)
    right: Floats = scores[places, targets[0]].copy()
    scores[places, targets[0]] = -np.inf
    right -= scores.max(axis=-1)
    return right
