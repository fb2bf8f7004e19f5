"""What an .npz file says of its model: a JSON text, which is checked before it is believed."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from numpy.lib import format as npy

from tinychat.config import ModelConfig
from tinychat.errors import ConfigError, WeightsError
from tinychat.model import EXTRAS, Model, ModelCard, recipe_of
from tinychat.presets import Preset
from tinychat.records import from_json
from tinychat.tokenizer import Tokenizer, tokenizer_from_dict
from tinychat.training.optimizer import OPTIMIZERS
from tinychat.weights.arrays import check_arrays, read_header

FORMAT = "tinychat"
VERSION = 2


@dataclass(frozen=True)
class OptimizerRecord:
    """What the description says of an optimiser; its vectors are in the file."""

    kind: str
    updates: int

    def __post_init__(self) -> None:
        """Raise ConfigError for what no optimiser has."""
        if self.kind not in OPTIMIZERS:
            raise ConfigError(f"the optimiser must be {' or '.join(OPTIMIZERS)}, not {self.kind[:40]!r}")
        if self.updates < 0:
            raise ConfigError("the optimiser's update count must be at least 0")


@dataclass(frozen=True)
class Training:
    """What training needs besides the weights, as far as it is in the file."""

    optimizer: OptimizerRecord | None
    extras: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ConfigError for a name that is unknown, or there twice."""
        if not set(self.extras) <= set(EXTRAS) or len(set(self.extras)) < len(self.extras):
            raise ConfigError(f"extra vectors are {' and '.join(EXTRAS)}, each at most once")

    @property
    def vectors(self) -> list[str]:
        """Names of the arrays of shape (P,)."""
        state = () if self.optimizer is None else OPTIMIZERS[self.optimizer.kind].state_names
        return [f"optimizer/{name}" for name in state] + [f"training/{name}" for name in self.extras]


@dataclass(frozen=True)
class Summary:
    """What a file says of its model, read without the weights."""

    path: Path
    config: ModelConfig
    tokenizer: Tokenizer
    card: ModelCard
    training: Training
    n_parameters: int

    @property
    def recipe(self) -> Preset:
        return recipe_of(self.config, self.tokenizer, self.card)

    @property
    def updates(self) -> int | None:
        """Of the optimiser, if its state is in the file."""
        return None if self.training.optimizer is None else self.training.optimizer.updates


def describe(model: Model) -> str:
    """The JSON text of a model."""
    optimizer = None
    if model.optimizer is not None:
        optimizer = {"kind": model.optimizer.kind, "updates": model.optimizer.updates}
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "config": asdict(model.config),
            "tokenizer": model.tokenizer.to_dict(),
            "card": asdict(model.card),
            "optimizer": optimizer,
            "extras": list(model.extras),
        }
    )


def summary_of(archive: ZipFile) -> Summary:
    """What an archive says of its model, and whether its arrays are such; otherwise raise WeightsError."""
    metadata = _metadata(archive)
    kept = {part: metadata[part] for part in ("optimizer", "extras")}
    try:
        config, card = from_json(ModelConfig, metadata["config"]), from_json(ModelCard, metadata["card"])
        training = from_json(Training, kept)
    except ConfigError as error:
        raise WeightsError(f"the description is damaged: {error}") from None
    tokenizer = tokenizer_from_dict(metadata["tokenizer"])
    if tokenizer.vocab_size != config.vocab_size:
        raise WeightsError(
            f"the tokenizer has {tokenizer.vocab_size} tokens, but the model {config.vocab_size}"
        )
    n_parameters = check_arrays(archive, config, training.vectors)
    return Summary(Path(str(archive.filename)), config, tokenizer, card, training, n_parameters)


def _metadata(archive: ZipFile) -> dict[str, Any]:
    """The description as JSON has it, of our format and with all the parts of this version."""
    if "metadata.npy" not in archive.namelist():
        raise WeightsError("not a weights file of tinychat; train and save with tinychat")
    with archive.open("metadata.npy") as file:
        _, _, dtype = read_header(file)
        if dtype.itemsize > archive.getinfo("metadata.npy").file_size:
            raise WeightsError("the description is shorter than it says; take another copy")
    with archive.open("metadata.npy") as file:
        metadata: Any = json.loads(str(npy.read_array(file, allow_pickle=False)))
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise WeightsError("not a weights file of tinychat; train and save with tinychat")
    upgraded = _upgraded(metadata)
    if upgraded.get("version") != VERSION:
        raise WeightsError(
            f"has format version {metadata.get('version')!r}, and this tinychat reads version {VERSION}; "
            "use the tinychat that wrote it, or train anew"
        )
    if not all(isinstance(upgraded.get(part), dict) for part in ("config", "tokenizer", "card")):
        raise WeightsError("the description is damaged: config, tokenizer or card is missing")
    if not upgraded.keys() >= {"optimizer", "extras"}:
        raise WeightsError("the description is damaged: the state of the training is missing")
    return upgraded


def _upgraded(metadata: dict[str, Any]) -> dict[str, Any]:
    """A description of version 1, which knew no optimiser but Adam, as of version 2; any other as it is."""
    if metadata.get("version") != 1 or "updates" not in metadata:
        return metadata
    updates = metadata["updates"]
    optimizer = None if updates is None else {"kind": "adam", "updates": updates}
    return {**metadata, "version": 2, "optimizer": optimizer, "extras": []}
