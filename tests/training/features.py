"""What a run could lose when it is stopped, and how it is stopped."""

from pathlib import Path
from typing import Any

from tinychat import weights
from tinychat.training.run import TrainingRun


def resumed(run: TrainingRun, path: Path) -> TrainingRun:
    return TrainingRun(weights.load(weights.save(run.model, path)), run.corpus)


ROOM: dict[str, Any] = {"max_seq_len": 40}
"""For two dialogues in a row."""
FEATURES: dict[str, dict[str, Any]] = {
    "mini-batches": {"batch_size": 2},
    "accumulation": {"batch_size": 2, "accumulate": 2},
    "windows": {"windows": 6, "batch_size": 2},
    "windows of which some are held out": {"windows": 6, "batch_size": 2, "validation": 0.2},
    "typos": {"typos": 0.3},
    "careless questions": {"careless": 0.5},
    "unanswerable questions": {"unanswerable": 0.5},
    "joined dialogues": {"joined": 0.5, **ROOM},
    "masked prompts": {"mask_prompt": True},
    "dropout": {"dropout": 0.2},
    "dropout in workers": {"dropout": 0.2, "batch_size": 3, "workers": 2},
    "dropout in batches": {"dropout": 0.2, "batch_size": 1, "accumulate": 3},
    "moving average": {"ema_decay": 0.7},
    "held-out rows": {"validation": 0.3},
    "an average that is held out": {"validation": 0.3, "ema_decay": 0.7},
    "patience": {"validation": 0.3, "patience": 1, "tune_epochs": 9, "tune_lr": 0.05},
    "schedule": {"schedule": "cosine", "warmup": 0.3, "optimizer": "adamw", "weight_decay": 0.1},
}
"""Everything that a run could lose when it is stopped."""
ALL_OF_IT = {name: value for feature in FEATURES.values() for name, value in feature.items()} | {
    "pretrain_batch_size": 2,
    "tune_batch_size": 1,
    "accumulate": 2,
    "tune_lr": 0.01,
}
CHAR_OF_ALL = ALL_OF_IT | {"tokenizer": "char", "max_seq_len": 90}
