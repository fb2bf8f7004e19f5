"""From classic to modern, one step at a time: loss, exact answers and seconds after each.

    python tests/benchmarks/classic_to_modern.py [--corpus NAME|PATH] [--seeds N]

Every line keeps the changes of the lines above it. Prints a Markdown table, medians over the seeds.
"""

import argparse
from dataclasses import asdict
from statistics import median
from typing import Any

from tinychat.corpus import Corpus, load_corpus
from tinychat.presets import MODEL_FIELDS, PHASES, TRAIN_FIELDS, Preset, preset
from tinychat.training.evaluate import answered_exactly
from tinychat.training.events import Finished
from tinychat.training.run import TrainingRun

STEPS: list[tuple[str, tuple[str, ...]]] = [
    ("mini-batches, and their learning rate and epochs", ("batch_size", "lr", "epochs", "clip_norm")),
    ("warm-up and decay of the learning rate", ("schedule", "warmup", "final_lr")),
    ("questions masked out of the loss", ("mask_prompt",)),
    ("norm before the sub-layers", ("norm_position",)),
    ("several heads, grouped keys and values", ("n_heads", "n_kv_heads", "head_dim", "attention_output")),
    ("rotary positions", ("positions",)),
    ("RMS norm, no biases", ("norm", "bias", "output_bias")),
    ("gated feed-forward", ("gated", "activation", "d_ff")),
    ("embedding and output tied", ("tie_embeddings",)),
    ("AdamW: decay of matrices, shorter memory", ("optimizer:adamw", "weight_decay", "beta2")),
    ("Muon for the hidden matrices", ("optimizer", "momentum")),
    ("the rest of the preset", ()),
]
"""Name of each step, and the fields that take modern's values in it."""


def changes_of(fields: tuple[str, ...], goal: Preset) -> dict[str, Any]:
    model = {field: asdict(goal.model_config(2))[field] for field in MODEL_FIELDS if field in fields}
    phases = {
        f"{phase}_{field}": getattr(getattr(goal, phase), field)
        for phase in PHASES
        for field in TRAIN_FIELDS
        if field in fields
    }
    named = dict(field.split(":") for field in fields if ":" in field)
    return {**model, **phases, **named}


def measure(recipe: Preset, corpus: Corpus, seed: int) -> tuple[float, int, float, int]:
    """Loss at the end, dialogues answered word for word, seconds of training, parameters."""
    run = TrainingRun.start(corpus, recipe, seed, sample_every=10**6)
    seconds = 0.0
    for event in run.run():
        seconds = event.seconds if isinstance(event, Finished) else seconds
    loss = run.model.card.final_loss or 0.0
    return loss, sum(answered_exactly(run.model, corpus.dialogues)), seconds, run.model.n_parameters


def main() -> None:
    parser = argparse.ArgumentParser(description="From classic to modern, one step at a time.")
    parser.add_argument("--corpus", default="basics")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    corpus, goal = load_corpus(args.corpus), preset("modern")
    recipe = preset("classic")
    print(f"| step | loss | exact of {len(corpus.dialogues)} | seconds | parameters |\n|---|---|---|---|---|")
    for name, fields in [("classic", ()), *STEPS]:
        recipe = goal if name == "the rest of the preset" else recipe.changed(changes_of(fields, goal))
        found = [measure(recipe, corpus, seed) for seed in range(args.seeds)]
        loss, exact, seconds, parameters = (median(column) for column in zip(*found, strict=True))
        print(f"| {name} | {loss:.3f} | {exact:g} | {seconds:.1f} | {parameters:,} |", flush=True)


if __name__ == "__main__":
    main()
