"""A whole training run: both phases, one after the other, resumable at any event."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tinychat.config import TrainConfig
from tinychat.corpus import Corpus, load_corpus
from tinychat.errors import UsageError
from tinychat.generation.reply import reply_to
from tinychat.model import Model
from tinychat.presets import PRETRAIN, TUNE, Preset
from tinychat.training.batches import enough_epochs, grouped, to_batch
from tinychat.training.events import Event, Finished
from tinychat.training.find_lr import Trial, try_rates
from tinychat.training.fragile import worth_rehearsing
from tinychat.training.keeping import Keeper
from tinychat.training.new_model import new_model
from tinychat.training.optimizer import Optimizer, make_optimizer
from tinychat.training.partner import partner_for
from tinychat.training.replay import questions_of
from tinychat.training.rows import RowSource
from tinychat.training.sources import SPLIT, split
from tinychat.training.team import Team
from tinychat.training.trainer import Trainer
from tinychat.training.workers import Workers, useless_workers
from tinychat.wording import counted

_PHASES = (PRETRAIN, TUNE)


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
        for phase in model.card.configs:
            rng = partial(self._rng, phase)
            self._sources[phase], self._held_out[phase] = split(model, corpus, phase, rng)
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
                f"{counted(n_cut, 'row')} had to be cut at the context of {model.config.max_seq_len} tokens"
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
        model = new_model(corpus, preset, seed)
        run = cls(model, corpus)
        configs = model.card.configs
        for phase, config in configs.items():
            configs[phase] = replace(config, epochs=enough_epochs(config, run._sources[phase].clean))
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

    def _rng(self, phase: str, *place: int) -> np.random.Generator:
        """Nothing to save about random numbers: the seed and the place in the run give them all."""
        return np.random.default_rng([self.model.card.seed, 1 + _PHASES.index(phase), *place])

    def _set_optimizer(self, phase: str, config: TrainConfig) -> None:
        """Moments of another kind are of no use to a phase."""
        if self.optimizer.kind != config.optimizer and not self.model.card.progress[phase].is_ended:
            self.model.optimizer = make_optimizer(config.optimizer, self.model.transformer.parameters)

    def _trainer(self, phase: str, config: TrainConfig, team: Team) -> Trainer:
        model, progress = self.model, self.model.card.progress[phase]
        held_out = grouped(self._held_out[phase].clean, config.batch_size, self._rng(phase, SPLIT))
        return Trainer(
            phase=phase,
            team=team,
            optimizer=self.optimizer,
            source=self._sources[phase],
            keeper=Keeper(team, list(map(to_batch, held_out)), config, progress, model.extras),
            config=config,
            progress=progress,
            rng=partial(self._rng, phase),
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
                kept = worth_rehearsing(self.corpus.dialogues, workers, model.tokenizer)
                card.rehearsal = questions_of(kept)
        yield Finished(sum(progress.seconds for progress in self.model.card.progress.values()))

    def _sample(self, phase: str) -> tuple[str, str]:
        prompt = self.model.card.sample_prompts[phase]
        reply = reply_to(prompt, self.model.transformer, self.model.tokenizer, chat=phase == TUNE)
        return prompt, reply.finish()


def _as_read(corpus: Corpus, pretraining: TrainConfig | None) -> Corpus:
    return corpus.as_running_text() if pretraining and pretraining.windows else corpus
