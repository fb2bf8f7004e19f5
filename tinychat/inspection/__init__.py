"""Looking inside a model: figures as named arrays, for a notebook as for the command line.

What runs the model runs a copy, so that a training under way neither disturbs it nor is disturbed.
"""

from tinychat.inspection.alternatives import Alternatives, alternatives
from tinychat.inspection.attention import AttentionMaps, attention_maps
from tinychat.inspection.compare import Comparison, compare
from tinychat.inspection.embedding import EmbeddingMap, Neighbours, embedding_map, nearest_words
from tinychat.inspection.exchange import Exchange, exchange, exchange_of
from tinychat.inspection.lens import LogitLens, logit_lens

__all__ = [
    "Alternatives",
    "AttentionMaps",
    "Comparison",
    "EmbeddingMap",
    "Exchange",
    "LogitLens",
    "Neighbours",
    "alternatives",
    "attention_maps",
    "compare",
    "embedding_map",
    "exchange",
    "exchange_of",
    "logit_lens",
    "nearest_words",
]
