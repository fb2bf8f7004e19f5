"""How fast this machine trains and decodes, and how far that is from what it could do at best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from tinychat.config import ModelConfig, TrainConfig
from tinychat.core.model import Transformer
from tinychat.core.places import CountedPlaces
from tinychat.corpus import Corpus
from tinychat.generation.greedy import greedy
from tinychat.model import Model
from tinychat.presets import Preset
from tinychat.training.batches import Drawing, to_batch
from tinychat.training.optimizer import clip_scale
from tinychat.training.partner import Partner, partner_for
from tinychat.training.processes import n_cores
from tinychat.training.rows import DialogueRows, Row
from tinychat.training.run import TrainingRun
from tinychat.training.vocabulary import tokenizer_for
from tinychat.training.workers import Workers

Product = tuple[int, int, int, int]
"""So many products of matrices of shapes (m, k) and (k, n), as (count, m, k, n)."""
_NEVER = -1
"""No token: a text that does not end."""


@dataclass(frozen=True)
class TrainingSpeed:
    """Of a preset, in its second phase."""

    preset: str
    workers: int
    updates_per_s: float
    tokens_per_s: float
    """Predicted ones."""
    gflops: float
    """Of matrix products, a second: what the updates do, the time for all else included."""
    product_gflops: float
    """What products of the same shapes reach with nothing in between."""

    @property
    def share(self) -> float:
        """Of what the products alone would allow."""
        return self.gflops / self.product_gflops


@dataclass(frozen=True)
class DecodingSpeed:
    """Of a preset that writes from an empty text until its context is full."""

    preset: str
    tokens_per_s: float
    gb_per_s: float
    """Weights that it reads: all of them for every token."""
    read_gb_per_s: float
    """What a vector's product with a matrix of as many weights reaches."""

    @property
    def share(self) -> float:
        """Of what reading the weights would allow."""
        return self.gb_per_s / self.read_gb_per_s


def training_speed(recipe: Preset, corpus: Corpus, seconds: float) -> TrainingSpeed:
    """Train a new model on the corpus's dialogues for about so long, batches and noise made beforehand."""
    # A new model has the optimiser of its first phase.
    model = TrainingRun.start(corpus, replace(recipe, pretrain=recipe.tune)).model
    config, rng = recipe.tune, np.random.default_rng(0)
    source = DialogueRows(
        corpus.dialogues, model.tokenizer, model.config.max_seq_len, config, corpus.declines
    )
    batches = Drawing(source, config.batch_size, rng).batches()
    n_tokens = flops = 0
    with threadpool_limits(1, "blas"), _team(model, config) as team:

        def update(rows: list[Row], coming: list[Row]) -> None:
            nonlocal n_tokens, flops
            assert model.optimizer is not None
            loss = team.loss_and_gradients(rows, [None] * config.workers)
            scale = clip_scale(team.global_norm(), config.clip_norm)
            team.step(model.optimizer, config, config.lr, scale, coming)
            n_tokens += loss.tokens
            flops += flops_of(training_products(model.config, *_shape(rows, model.config)))

        if isinstance(team, Partner):
            team.link.join()
        updates = [partial(update, *pair) for pair in zip(batches, batches[1:] + batches[:1], strict=True)]
        for one in updates[:20]:  # the memory for their shapes, and the workers' start
            one()
        n_tokens = flops = 0
        n_updates, spent = _repeated(updates, seconds)
        products = training_products(model.config, *_usual_shape(batches, config.workers, model.config))
        return TrainingSpeed(
            preset=recipe.name,
            workers=config.workers,
            updates_per_s=n_updates / spent,
            tokens_per_s=n_tokens / spent,
            gflops=flops / spent / 1e9,
            product_gflops=_product_gflops(products, seconds / 4) * min(config.workers, n_cores()),
        )


def decoding_speed(recipe: Preset, corpus: Corpus, seconds: float) -> DecodingSpeed:
    """Let a new model write for about so long, a text after the other."""
    tokenizer = tokenizer_for(corpus, recipe.tokenizer, recipe.vocab_size)
    transformer = _new_transformer(recipe, tokenizer.vocab_size)
    n_tokens = transformer.config.max_seq_len - 1
    n_bytes = weights_read(transformer)
    with threadpool_limits(1, "blas"):
        n_texts, spent = _repeated([lambda: list(greedy(transformer, [tokenizer.end_id], _NEVER))], seconds)
        tokens_per_s = n_texts * n_tokens / spent
        return DecodingSpeed(
            preset=recipe.name,
            tokens_per_s=tokens_per_s,
            gb_per_s=tokens_per_s * n_bytes / 1e9,
            read_gb_per_s=_read_gb_per_s(n_bytes, transformer.config.d_model, seconds / 4),
        )


def training_products(config: ModelConfig, n_rows: int, length: int, n_predicted: int) -> list[Product]:
    """All matrix products of an update with a batch of so many rows, each of so many places to read.

    Logits are computed at `n_predicted` places.

    A projection y = x w is followed by dw = x^T dy and dx = dy w^T; every head of every row has six products
    of its own: q k^T, weights v, and the four of their gradients. The masked half of the scores counts.
    """
    D, E, L, T = config.d_model, config.head_dim, config.n_layers, length
    joined, places = config.n_heads * E, n_rows * length
    projections = [  # how many, at how many places, from and to which width
        (L, places, D, joined + 2 * config.n_kv_heads * E),
        (L, places, D, config.d_ff * (2 if config.gated else 1)),
        (L, places, config.d_ff, D),
        (1, n_predicted, D, config.vocab_size),
    ]
    if config.attention_output:
        projections.append((L, places, joined, D))
    found = [(2 * L * n_rows * config.n_heads, T, E, T), (4 * L * n_rows * config.n_heads, T, T, E)]
    for count, m, k, n in projections:
        found += [(count, m, k, n), (count, k, m, n), (count, m, n, k)]
    return found


def flops_of(products: Sequence[Product]) -> int:
    """Multiplications and additions."""
    return sum(2 * count * m * k * n for count, m, k, n in products)


def weights_read(transformer: Transformer) -> int:
    """Bytes of the weights that one more token needs: of tables only a row, unless it serves as output."""
    tables = ("embedding.w_position",) + (() if transformer.config.tie_embeddings else ("embedding.w_token",))
    item = transformer.parameters.values.itemsize
    return item * sum(spec.size for spec in transformer.parameters.specs if spec.name not in tables)


def _new_transformer(recipe: Preset, vocab_size: int) -> Transformer:
    transformer = Transformer(recipe.model_config(vocab_size))
    transformer.parameters.initialise(np.random.default_rng(0))
    return transformer


def _team(model: Model, config: TrainConfig) -> Partner | Workers:
    return partner_for(model, config) or Workers(model.transformer, config.workers)


def _shape(rows: Sequence[Row], config: ModelConfig) -> tuple[int, int, int]:
    """Rows, places of a row, and places for which logits are computed."""
    n_rows, length = to_batch(rows, config.max_seq_len)[0].shape
    n_predicted = sum(row.n_predicted for row in rows)
    few = n_rows * length - n_predicted <= CountedPlaces.FEW
    return n_rows, length, n_rows * length if few else n_predicted


def _usual_shape(batches: Sequence[Sequence[Row]], workers: int, config: ModelConfig) -> tuple[int, int, int]:
    """Medians of the shapes of a worker's part of a batch."""
    shapes = [_shape(rows[::workers], config) for rows in batches]
    n_rows, length, n_predicted = (round(median(column)) for column in zip(*shapes, strict=True))
    return n_rows, length, n_predicted


def _repeated(pieces: Sequence[Callable[[], object]], seconds: float) -> tuple[int, float]:
    """Do the pieces in turn for about so long: how many there were, and the exact time."""
    start, done, spent = perf_counter(), 0, 0.0
    while not done or spent < seconds:
        pieces[done % len(pieces)]()
        done += 1
        spent = perf_counter() - start
    return done, spent


def _product_gflops(products: Sequence[Product], seconds: float) -> float:
    """What the machine does if it does nothing but these products."""
    ideal = 0.0
    for count, m, k, n in products:
        a, b, out = (np.ones((count, *shape), np.float32) for shape in ((m, k), (k, n), (m, n)))
        done, spent = _repeated([partial(np.matmul, a, b, out)], seconds / len(products))
        ideal += spent / done
    return flops_of(products) / ideal / 1e9


def _read_gb_per_s(n_bytes: int, width: int, seconds: float) -> float:
    """What a product of a vector with a matrix of so many bytes reads."""
    matrix = np.ones((width, max(1, n_bytes // 4 // width)), np.float32)
    vector, out = np.ones(width, np.float32), np.empty(matrix.shape[1], np.float32)
    done, spent = _repeated([lambda: np.dot(vector, matrix, out=out)], seconds)
    return done * matrix.nbytes / spent / 1e9
