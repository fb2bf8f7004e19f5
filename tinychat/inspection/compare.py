"""Two saved models side by side: how they differ, and what came of it."""

from dataclasses import asdict, dataclass
from typing import Any

from tinychat.presets import PHASE_TITLES
from tinychat.training.history import PhaseProgress
from tinychat.weights.description import Summary

Figure = float | None


@dataclass(frozen=True)
class Comparison:
    """What is known of two models, the first and the second in every pair."""

    configuration: dict[str, tuple[Any, Any]]
    """Name of a flag -> its values, where they differ; None for a phase that a model does not have."""
    figures: dict[str, tuple[Figure, Figure]]
    """All figures that either has: `parameters`, `updates`, and by phase as `tune.loss`. Losses in nats per
    token, times in seconds; norms and ratios as last measured."""
    losses: dict[str, tuple[list[float], list[float]]]
    """Phase -> the loss of every epoch, in nats per token; empty for a phase that a model does not have."""


def compare(first: Summary, second: Summary) -> Comparison:
    """Tell two models apart by what their files say of them, without reading the weights."""
    pair = (first, second)
    values, figures = [_configuration(one) for one in pair], [_figures(one) for one in pair]
    return Comparison(
        configuration={name: both for name, both in _pairs(values).items() if both[0] != both[1]},
        figures=_pairs(figures),
        losses={
            phase: (_losses(first, phase), _losses(second, phase))
            for phase in PHASE_TITLES
            if any(phase in one.card.configs for one in pair)
        },
    )


def _pairs(records: list[dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys(name for record in records for name in record)
    return {name: (records[0].get(name), records[1].get(name)) for name in names}


def _configuration(summary: Summary) -> dict[str, Any]:
    card = summary.card
    return {
        "corpus": card.corpus,
        "corpus_fingerprint": card.corpus_fingerprint,
        "preset": card.preset,
        "seed": card.seed,
        "tokenizer": summary.tokenizer.to_dict()["kind"],
        **asdict(summary.config),
        **{
            f"{phase}_{name}": value
            for phase, config in card.configs.items()
            for name, value in asdict(config).items()
        },
    }


def _figures(summary: Summary) -> dict[str, Figure]:
    figures: dict[str, Figure] = {"parameters": summary.n_parameters, "updates": summary.updates}
    for phase in summary.card.configs:
        found = _phase_figures(summary.card.progress[phase])
        figures |= {f"{phase}.{name}": value for name, value in found.items()}
    return figures


def _phase_figures(progress: PhaseProgress) -> dict[str, Figure]:
    figures: dict[str, Figure] = {"epochs": progress.epoch, "seconds": progress.seconds}
    if not progress.epochs:
        return figures
    last = progress.epochs[-1]
    for name in ("loss", "smoothed_loss", "perplexity", "accuracy", "grad_norm", "tokens_per_s", "lr"):
        figures[name] = getattr(last, name)
    figures["best_loss"] = min(record.loss for record in progress.epochs)
    held_out = [record.held_out_loss for record in progress.epochs if record.held_out_loss is not None]
    if held_out:
        figures["best_held_out_loss"] = min(held_out)
    measured = [record for record in progress.epochs if record.grad_norms]
    for record in measured[-1:]:
        figures |= {f"grad_norm.{layer}": norm for layer, norm in record.grad_norms.items()}
        figures |= {f"update_ratio.{layer}": ratio for layer, ratio in record.update_ratios.items()}
    return figures


def _losses(summary: Summary, phase: str) -> list[float]:
    progress = summary.card.progress.get(phase)
    return [record.loss for record in progress.epochs] if progress else []
