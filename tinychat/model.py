"""A model as a user has it: the transformer, its tokenizer, and where it comes from."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tinychat.config import ModelConfig, TrainConfig
from tinychat.core.model import Transformer
from tinychat.core.parameters import Floats
from tinychat.corpus.dialogue import Turn
from tinychat.errors import ConfigError
from tinychat.presets import PHASE_TITLES, PRESETS, PRETRAIN, TUNE, Preset
from tinychat.tokenizer import Tokenizer
from tinychat.training.history import PhaseProgress
from tinychat.training.optimizer import Optimizer

if TYPE_CHECKING:
    from tinychat.corpus import Corpus
    from tinychat.generation.beam import Beams
    from tinychat.generation.reply import Reply
    from tinychat.generation.sampling import Sampling
    from tinychat.training.evaluate import Evaluation
    from tinychat.training.teaching import Lesson

EXTRAS = ("average", "best")
"""Vectors that training may keep beside the weights: their moving average, and the best so far."""


@dataclass
class ModelCard:
    """What is known about a model besides its weights; JSON-ready but for the nested dataclasses."""

    preset: str
    seed: int
    corpus: str
    """Name."""
    corpus_source: str
    """What `load_corpus` takes to read the corpus again."""
    corpus_fingerprint: str
    n_facts: int
    n_dialogues: int
    max_turns: int
    """Turns of the longest training dialogue; 0 for a model that was only pre-trained."""
    sample_prompts: dict[str, str]
    """Phase -> what the model is asked to continue, or to answer, while it learns."""
    configs: dict[str, TrainConfig] = field(default_factory=dict)
    """Phase -> its recipe, for the phases that there are examples for, in order."""
    progress: dict[str, PhaseProgress] = field(default_factory=dict)
    """Phase -> how far it is."""
    examples: list[str] = field(default_factory=list)
    """A few questions that the corpus answers."""
    rehearsal: list[list[str]] = field(default_factory=list)
    """What users said in some of its training dialogues: what a lesson rehearses, also without the corpus.
    Of a large corpus they are from all over it; after the last update most are those whose answers are lost
    first."""
    taught: list[Turn] = field(default_factory=list)
    """What the model was taught after its training, the latest last."""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    versions: dict[str, str] = field(default_factory=dict)
    """Of the programs that trained it."""

    @property
    def is_chat(self) -> bool:
        """Whether the model answers; otherwise it writes on."""
        return self.max_turns > 0

    @property
    def is_finished(self) -> bool:
        return self.epochs_left == 0

    @property
    def final_loss(self) -> float | None:
        """Loss of the last epoch, in nats per token; None before the first."""
        losses = [p.last_loss for phase in self.configs if (p := self.progress[phase]).epochs]
        return losses[-1] if losses else None

    @property
    def epochs_left(self) -> int:
        """Until the recipe is done."""
        return sum(
            max(0, config.epochs - self.progress[phase].epoch)
            for phase, config in self.configs.items()
            if not self.progress[phase].is_ended
        )

    @property
    def epochs_done(self) -> int:
        return sum(progress.epoch for progress in self.progress.values())

    def __post_init__(self) -> None:
        """Raise ConfigError if the parts do not fit together."""
        phases = set(self.configs)
        if not phases <= set(PHASE_TITLES) or set(self.progress) != phases:
            raise ConfigError("the phases of the card do not match")
        if not phases <= set(self.sample_prompts) or not all(self.sample_prompts.values()):
            raise ConfigError("the card must have a sample prompt for every phase")
        if min(self.seed, self.n_facts, self.n_dialogues, self.max_turns) < 0:
            raise ConfigError("the seed and the counts of the card must be at least 0")


@dataclass
class Model:
    """A transformer that can be asked and saved; with an optimiser it can also be trained further."""

    transformer: Transformer
    tokenizer: Tokenizer
    card: ModelCard
    optimizer: Optimizer | None = None
    extras: dict[str, Floats] = field(default_factory=dict)
    """Name in EXTRAS -> ndarray of shape (P,), saved and loaded with the model."""

    @property
    def config(self) -> ModelConfig:
        return self.transformer.config

    @property
    def n_parameters(self) -> int:
        return self.transformer.n_parameters

    @property
    def recipe(self) -> Preset:
        return recipe_of(self.config, self.tokenizer, self.card)

    def reply(self, prompt: str, sampling: "Sampling | Beams | None" = None) -> "Reply":
        """The answer as it is written: iterate it for the text so far. Raise UsageError if empty."""
        from tinychat.generation.session import ChatSession

        return (ChatSession(self, sampling) if sampling else ChatSession(self)).ask(prompt)

    def ask(self, prompt: str, sampling: "Sampling | Beams | None" = None) -> str:
        """Answer one prompt, by greedy decoding unless told otherwise. Raise UsageError if it is empty.

        The same prompt, `sampling` and weights give the same answer.
        """
        return self.reply(prompt, sampling).finish()

    def teach(self, question: str, answer: str, corpus: "Corpus | None" = None) -> "Lesson":
        """Learn one more answer; the lesson can be taken back. Raise LessonError if it is not learnt.

        Without `corpus`, the one that it was trained on is read again. See `tinychat.training.teaching`.
        """
        from tinychat.training.teaching import Lesson

        lesson = Lesson(self, question, answer, corpus)
        for _ in lesson.run():
            pass
        lesson.put_in()
        return lesson

    def evaluate(self, corpus: "Corpus") -> "Evaluation":
        """Measure the model on a corpus; see `tinychat.training.evaluate`."""
        from tinychat.training.evaluate import evaluate

        return evaluate(self, corpus)

    def save(self, path: str | Path) -> Path:
        """Write the model to one .npz file, and return its path. Raise StorageError if that cannot be."""
        from tinychat.weights import save

        return save(self, path)


def recipe_of(config: ModelConfig, tokenizer: Tokenizer, card: ModelCard) -> Preset:
    """What a model was made from, to make another of the kind."""
    shape = asdict(config)
    del shape["vocab_size"]
    known = PRESETS.get(card.preset, PRESETS["classic"])
    kind = tokenizer.to_dict()["kind"]
    return Preset(
        name=card.preset,
        summary=known.summary,
        pretrain=card.configs.get(PRETRAIN, known.pretrain),
        tune=card.configs.get(TUNE, known.tune),
        model=shape,
        tokenizer=kind,
        vocab_size=tokenizer.vocab_size if kind == "bpe" else known.vocab_size,
    )
