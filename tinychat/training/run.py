"""A whole training run: both phases, one after the other, resumable at any event."""

import platform
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tinychat.config import TrainConfig
from tinychat.core.model import Transformer
from tinychat.corpus import Corpus, load_corpus
from tinychat.errors import CorpusError, UsageError
from tinychat.generation.reply import reply_to
from tinychat.model import Model, ModelCard
from tinychat.presets import PRETRAIN, TUNE, Preset
from tinychat.training.batches import enough_epochs, grouped, to_batch
from tinychat.training.events import Event, Finished
from tinychat.training.find_lr import Trial, try_rates
from tinychat.training.fragile import worth_rehearsing
from tinychat.training.history import PhaseProgress
from tinychat.training.keeping import Keeper
from tinychat.training.optimizer import Optimizer, make_optimizer
from tinychat.training.partner import Partner, partner_for
from tinychat.training.replay import N_KEPT, questions_of, spread
from tinychat.training.rows import DialogueRows, FactRows, RowSource
from tinychat.training.taught import with_taught
from tinychat.training.trainer import Trainer
from tinychat.training.vocabulary import tokenizer_for
from tinychat.training.windows import WindowRows, split_text
from tinychat.training.workers import Workers, useless_workers

_PHASES = (PRETRAIN, TUNE)
_SPLIT = 2**32
"""Stands where an epoch would: the random numbers that choose what is held out."""
_N_EXAMPLES = 5
_WORDS_OF_A_QUESTION = 4
_SAMPLE_WORDS = 2
"""Words of the first fact that the model is asked to continue."""


class TrainingRun:
    """Iterate `run()`; between two events the model can be saved, or the run be given up."""

    def __init__(self, model: Model, corpus: Corpus) -> None:
        """Go on with `model`, wherever it is, and with what it was taught.

        Raise UsageError if it cannot be trained on `corpus`.
        """
        if model.optimizer is None:
            raise UsageError("these weights have no optimiser state, so training cannot go on; train anew")
        corpus = _as_read(corpus, model.card.configs.get(PRETRAIN))
        if model.card.corpus_fingerprint != corpus.fingerprint:
            raise UsageError(
                f"the corpus {corpus.name!r} is not the one that this model was trained on; train anew"
            )
        self.model = model
        self.corpus = corpus
        self._sources: dict[str, RowSource] = {}
        self._held_out: dict[str, RowSource] = {}
        for phase, config in model.card.configs.items():
            self._sources[phase], self._held_out[phase] = self._split(phase, config)
            if not self._sources[phase].clean:
                raise UsageError(
                    f"no answer fits into the context of {model.config.max_seq_len} tokens beside its "
                    "question; give the model a larger max_seq_len"
                )
        # A lesson may have taken the place of some rows; then the epoch under way is over.
        steps = {phase: 0 if model.card.taught else p.step for phase, p in model.card.progress.items()}
        if any(step > len(self._sources[phase].clean) for phase, step in steps.items()):
            raise UsageError("the training history of these weights does not fit the corpus; train anew")
        told = map(useless_workers, model.card.configs.values())
        self.warnings = [*corpus.warnings, *dict.fromkeys(filter(None, told))]
        if n_cut := sum(s.n_cut for s in (*self._sources.values(), *self._held_out.values())):
            self.warnings.append(
                f"{n_cut} rows are longer than the context of {model.config.max_seq_len} tokens "
                "and were cut there"
            )

    @property
    def optimizer(self) -> Optimizer:
        """The model's."""
        assert self.model.optimizer is not None
        return self.model.optimizer

    @classmethod
    def start(
        cls,
        corpus: Corpus,
        preset: Preset,
        seed: int = 0,
        **changes: Any,
    ) -> "TrainingRun":
        """A new model with weights drawn from `seed`; `changes` are other values for parts of the recipe."""
        preset = preset.changed(changes) if changes else preset
        corpus.check()
        corpus = _as_read(corpus, preset.pretrain)
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
        model = Model(transformer, tokenizer, card, make_optimizer(kind, transformer.parameters))
        run = cls(model, corpus)
        for phase, config in configs.items():
            card.configs[phase] = replace(config, epochs=enough_epochs(config, run._sources[phase].clean))
        return run

    @classmethod
    def resume(cls, model: Model, corpus_source: str | None = None) -> "TrainingRun":
        """Go on on the corpus that the model came from, read again (or from where it was moved to)."""
        source = corpus_source or model.card.corpus_source
        if not source:
            raise UsageError("the corpus of these weights was given from Python; name it with --corpus")
        return cls(model, load_corpus(source))

    def extend(self, epochs: int) -> None:
        """Add epochs to the last phase; to those that were done, if it ended early."""
        phase, config = list(self.model.card.configs.items())[-1]
        progress = self.model.card.progress[phase]
        so_far = progress.epoch if progress.is_ended else config.epochs
        self.model.card.configs[phase] = replace(config, epochs=so_far + epochs)
        progress.reopen()

    def _split(self, phase: str, config: TrainConfig) -> tuple[RowSource, RowSource]:
        """The examples to learn from, and those that are held out: the same ones whenever this is asked."""
        if phase == PRETRAIN and config.windows:
            return self._windows(config)
        examples = self.corpus.facts if phase == PRETRAIN else self.corpus.dialogues
        order = self._rng(phase, _SPLIT).permutation(len(examples))
        n_held_out = (
            min(max(1, round(config.validation * len(order))), len(order) - 1) if config.validation else 0
        )
        held_out = set(order[:n_held_out].tolist())
        learnt: list[Any] = [example for index, example in enumerate(examples) if index not in held_out]
        rest = [example for index, example in enumerate(examples) if index in held_out]
        if phase == TUNE and self.model.card.taught:
            rng = self._rng(phase, _SPLIT, 1)
            learnt = with_taught(learnt, self.model.card.taught, self.corpus.declines, rng)
        return self._rows(phase, learnt, config), self._rows(phase, rest, config)

    def _windows(self, config: TrainConfig) -> tuple[RowSource, RowSource]:
        """Of the beginning of the running text, and of its end."""
        [text] = self.corpus.facts
        tokens = np.array(self.model.tokenizer.encode(text), np.int32)
        learnt, rest = split_text(tokens, config.validation)
        context = self.model.config.max_seq_len
        if len(learnt) < 2:
            raise CorpusError(f"the text of {self.corpus.name!r} is too short for windows; give it more")
        return WindowRows(learnt, context, config.windows), WindowRows(rest, context)

    def _rows(self, phase: str, examples: Sequence[Any], config: TrainConfig) -> RowSource:
        tokenizer, context = self.model.tokenizer, self.model.config.max_seq_len
        if phase == PRETRAIN:
            return FactRows(examples, tokenizer, context)
        return DialogueRows(examples, tokenizer, context, config, self.corpus.declines)

    def _rng(self, phase: str, *place: int) -> np.random.Generator:
        """Nothing to save about random numbers: the seed and the place in the run give them all."""
        return np.random.default_rng([self.model.card.seed, 1 + _PHASES.index(phase), *place])

    def _set_optimizer(self, phase: str, config: TrainConfig) -> None:
        """Moments of another kind are of no use to a phase."""
        if self.optimizer.kind != config.optimizer and not self.model.card.progress[phase].is_ended:
            self.model.optimizer = make_optimizer(config.optimizer, self.model.transformer.parameters)

    def _trainer(self, phase: str, config: TrainConfig, workers: Workers | Partner) -> Trainer:
        model, progress = self.model, self.model.card.progress[phase]
        held_out = grouped(self._held_out[phase].clean, config.batch_size, self._rng(phase, _SPLIT))
        return Trainer(
            phase=phase,
            workers=workers,
            optimizer=self.optimizer,
            source=self._sources[phase],
            keeper=Keeper(workers, list(map(to_batch, held_out)), config, progress, model.extras),
            config=config,
            progress=progress,
            rng=lambda *place: self._rng(phase, *place),
            sample=lambda: self._sample(phase),
        )

    def try_rates(self) -> Iterator[tuple[str, list[Trial]]]:
        """For each phase the losses at rising learning rates, from the weights as they are now."""
        transformer = self.model.transformer
        begun = transformer.parameters.values.copy()
        for phase, config in self.model.card.configs.items():
            trials = try_rates(transformer, self._sources[phase], config, self._rng(phase, 0))
            transformer.parameters.values[...] = begun
            yield phase, trials

    def run(self) -> Iterator[Event]:
        """Train through all phases, on one BLAS thread: two double the time of products this small."""
        model, card = self.model, self.model.card
        ahead = [config for phase, config in card.configs.items() if not card.progress[phase].is_ended]
        n_workers = max((config.workers for config in ahead if config.batch_size > 1), default=1)
        with threadpool_limits(1, "blas"), Workers(model.transformer, n_workers) as workers:
            for phase, config in card.configs.items():
                self._set_optimizer(phase, config)
                partner = None if card.progress[phase].is_ended else partner_for(self.model, config)
                with partner or nullcontext(workers) as team:
                    yield from self._trainer(phase, config, team).run()
            if ahead:
                with np.errstate(all="ignore"):  # what is not finite was told by the trainer
                    kept = worth_rehearsing(self.corpus.dialogues, model.transformer, model.tokenizer)
                card.rehearsal = questions_of(kept)
        yield Finished(sum(progress.seconds for progress in self.model.card.progress.values()))

    def _sample(self, phase: str) -> tuple[str, str]:
        prompt = self.model.card.sample_prompts[phase]
        reply = reply_to(prompt, self.model.transformer, self.model.tokenizer, chat=phase == TUNE)
        return prompt, reply.finish()


def _as_read(corpus: Corpus, pretraining: TrainConfig | None) -> Corpus:
    return corpus.as_running_text() if pretraining and pretraining.windows else corpus


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
