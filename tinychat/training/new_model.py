"""A model without a past, and the card that says where it comes from."""

import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from tinychat.core.model import Transformer
from tinychat.corpus import Corpus
from tinychat.errors import UsageError
from tinychat.model import Model, ModelCard
from tinychat.presets import PRETRAIN, TUNE, Preset
from tinychat.training.history import PhaseProgress
from tinychat.training.optimizer import make_optimizer
from tinychat.training.replay import N_KEPT, questions_of, spread
from tinychat.training.vocabulary import tokenizer_for

_N_EXAMPLES = 5
_WORDS_OF_A_QUESTION = 4
_SAMPLE_WORDS = 2
"""Words of the first fact that the model is asked to continue."""


def new_model(corpus: Corpus, preset: Preset, seed: int) -> Model:
    """Weights drawn from `seed`, a vocabulary from the corpus. Raise UsageError for what is no seed."""
    if type(seed) is not int or seed < 0:
        raise UsageError(f"the seed must be a whole number of at least 0, not {seed!r}")
    tokenizer = tokenizer_for(corpus, preset.tokenizer, preset.vocab_size)
    transformer = Transformer(preset.model_config(tokenizer.vocab_size))
    transformer.parameters.initialise(np.random.default_rng(seed))
    configs = {PRETRAIN: preset.pretrain, TUNE: preset.tune}
    examples = {PRETRAIN: corpus.facts, TUNE: corpus.dialogues}
    configs = {phase: config for phase, config in configs.items() if examples[phase]}
    card = ModelCard(
        preset=preset.name,
        seed=seed,
        corpus=corpus.name,
        corpus_source=corpus.source,
        corpus_fingerprint=corpus.fingerprint,
        n_facts=len(corpus.facts),
        n_dialogues=len(corpus.dialogues),
        max_turns=max(map(len, corpus.dialogues), default=0),
        sample_prompts=_sample_prompts(corpus),
        examples=_examples(corpus),
        rehearsal=questions_of(spread(corpus.dialogues, N_KEPT)),
        configs=configs,
        progress={phase: PhaseProgress() for phase in configs},
        versions=_versions(),
    )
    kind = next(iter(configs.values())).optimizer
    return Model(transformer, tokenizer, card, make_optimizer(kind, transformer.parameters))


def _sample_prompts(corpus: Corpus) -> dict[str, str]:
    """The beginning of the first fact, and a question: a longer one tells more than a greeting."""
    prompts = {}
    if corpus.facts:
        prompts[PRETRAIN] = " ".join(corpus.facts[0].split()[:_SAMPLE_WORDS])
    if corpus.dialogues:
        questions = [dialogue[0].user for dialogue in corpus.dialogues]
        wished = "How do mountains form?"
        prompts[TUNE] = wished if wished in questions else max(questions[:50], key=len)
    return prompts


def _examples(corpus: Corpus) -> list[str]:
    """Questions from all over the corpus, no two with the same answer, and, if it can be, no mere greetings
    and none that it does not know."""
    first_wordings = {dialogue[0].assistant: dialogue[0].user for dialogue in reversed(corpus.dialogues)}
    known = {answer: question for answer, question in first_wordings.items() if answer not in corpus.declines}
    questions = list(reversed((known or first_wordings).values()))
    questions = [
        question for question in questions if len(question.split()) >= _WORDS_OF_A_QUESTION
    ] or questions
    return questions[:: max(1, len(questions) // _N_EXAMPLES)][-_N_EXAMPLES:]


def _versions() -> dict[str, str]:
    try:
        own = version("tinychat")
    except PackageNotFoundError:  # run from a checkout that was not installed
        own = "unknown"
    return {"tinychat": own, "numpy": np.__version__, "python": platform.python_version()}
