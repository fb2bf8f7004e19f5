"""`tinychat info`: what a weights file says of itself."""

import argparse
import json
from dataclasses import asdict

from tinychat.commands.recipe import library
from tinychat.config_file import to_toml
from tinychat.presets import PHASE_TITLES
from tinychat.weights import read_summary
from tinychat.weights.description import Summary
from tinychat.wording import counted


def run(args: argparse.Namespace) -> int:
    summary = read_summary(library(args).find(args.file))
    if "toml" in args:
        card = summary.card
        print(to_toml(summary.recipe, {"corpus": card.corpus_source or None, "seed": card.seed}), end="")
    elif "json" in args:
        facts = {"config": asdict(summary.config), "card": asdict(summary.card)}
        print(json.dumps({"parameters": summary.n_parameters, **facts}))
    else:
        for name, value in _lines(summary):
            print(f"{name:<14}{value}")
    return 0


def _lines(summary: Summary) -> list[tuple[str, str]]:
    config, card = summary.config, summary.card
    lines = [
        ("file", str(summary.path)),
        ("created", card.created),
        (
            "corpus",
            f"{card.corpus}: {counted(card.n_facts, 'fact')}, {counted(card.n_dialogues, 'dialogue')} "
            f"({card.corpus_source})",
        ),
        ("preset", f"{card.preset}, seed {card.seed}"),
        ("parameters", f"{summary.n_parameters:,}"),
        ("shape", ", ".join(f"{key}={value}" for key, value in asdict(config).items())),
    ]
    for phase, recipe in card.configs.items():
        progress = card.progress[phase]
        history = f"{progress.epoch} of {counted(recipe.epochs, 'epoch')} at learning rate {recipe.lr:g}"
        if progress.epochs:
            first, last = progress.epochs[0], progress.epochs[-1]
            best = min(record.loss for record in progress.epochs)
            history += (
                f", loss {first.loss:.4f} -> {last.loss:.4f} (best {best:.4f}), "
                f"accuracy {last.accuracy:.1%}, {progress.seconds:.1f} s"
            )
        lines.append((PHASE_TITLES[phase].split()[0].lower(), history))
    updates = summary.updates
    optimiser = "not in the file" if updates is None else f"{counted(updates, 'update')}; can be resumed"
    lines.append(("optimiser", optimiser))
    lines += [("taught", f"{turn.user} {turn.assistant}") for turn in card.taught]
    lines.append(("versions", ", ".join(f"{name} {version}" for name, version in card.versions.items())))
    return lines
