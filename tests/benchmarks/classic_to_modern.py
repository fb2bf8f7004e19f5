"""From classic to modern, one step at a time: what each choice of the preset is worth.

    python tests/benchmarks/classic_to_modern.py [--corpus NAME|PATH] [--seeds N] [--from STEP]

Every line keeps the changes of the lines above it. Prints a Markdown table, medians over the seeds: where
the corpus holds questions out, how many of those are answered rightly and how many unknown ones are declined;
elsewhere how many dialogues are answered word for word.
"""

import argparse
from dataclasses import asdict
from statistics import median
from typing import Any

from tinychat.corpus import Corpus, load_corpus
from tinychat.generation.answers import answers
from tinychat.presets import MODEL_FIELDS, PHASES, TRAIN_FIELDS, Preset, preset
from tinychat.training.evaluate import answered_exactly
from tinychat.training.events import Finished
from tinychat.training.held_out import measure_held_out
from tinychat.training.run import TrainingRun

STEPS: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    (
        "batches of 64, few epochs, learning rate 0.003",
        ("batch_size", "workers", "epochs", "min_updates", "clip_norm"),
        {"lr": 0.003},
    ),
    ("warm-up, and decay to nearly 0", ("schedule", "warmup", "final_lr"), {}),
    ("questions masked out of the loss", ("mask_prompt",), {}),
    ("norms before the sub-layers", ("norm_position",), {}),
    (
        "4 heads of 24 in a width of 96",
        ("d_model", "n_heads", "n_kv_heads", "head_dim", "d_ff", "attention_output"),
        {},
    ),
    ("rotary positions", ("positions", "max_seq_len"), {}),
    ("RMS norm, no biases", ("norm", "bias", "output_bias"), {}),
    ("gated feed-forward, SiLU", ("gated", "activation"), {}),
    ("embedding and output tied", ("tie_embeddings",), {}),
    ("2 layers", ("n_layers",), {}),
    ("AdamW: matrices decay, shorter memory", ("weight_decay", "beta2"), {"optimizer": "adamw"}),
    ("Muon at 0.014, embeddings at 0.04", ("optimizer", "momentum", "hidden_lr", "lr"), {}),
    ("dialogues in pairs, answers by their beginning", ("noise_from", "joined", "cut_answers"), {}),
    ("typos and careless questions, where many share an answer", ("typos", "careless"), {}),
    ("unanswerable questions", ("unanswerable",), {}),
    ("the average of the weights: all of `modern`", ("ema_decay", "sample_every"), {}),
]
"""Name of each step, the fields that take modern's values in it, and values of the step's own."""


def changes_of(fields: tuple[str, ...], own: dict[str, Any], goal: Preset) -> dict[str, Any]:
    model = asdict(goal.model_config(2))
    phases = {
        f"{phase}_{field}": getattr(getattr(goal, phase), field)
        for phase in PHASES
        for field in TRAIN_FIELDS
        if field in fields
    }
    return {**{field: model[field] for field in MODEL_FIELDS if field in fields}, **phases, **own}


def recipes() -> list[tuple[str, Preset]]:
    """The recipe after each step; the last is `modern`."""
    recipe, goal = preset("classic"), preset("modern")
    found = [("classic", recipe)]
    for name, fields, own in STEPS:
        recipe = recipe.changed(changes_of(fields, own, goal))
        found.append((name, recipe))
    assert (recipe.pretrain, recipe.tune) == (goal.pretrain, goal.tune)
    assert recipe.model_config(2) == goal.model_config(2)
    return found


def measure(recipe: Preset, corpus: Corpus, seed: int) -> list[float]:
    """Loss at the end, two counts (see above), seconds of training, parameters."""
    run = TrainingRun.start(corpus, recipe, seed, sample_every=10**6)
    seconds = 0.0
    for event in run.run():
        seconds = event.seconds if isinstance(event, Finished) else seconds
    model = run.model
    if corpus.held_out:
        found = measure_held_out(lambda asked: answers(model, [(question, ()) for question in asked]), corpus)
        counts = [100 * found.right / found.known, 100 * found.honest_declines / max(found.unknown, 1)]
    else:
        exact = answered_exactly(model, corpus.dialogues)
        counts = [sum(exact), len(exact)]
    return [model.card.final_loss or 0.0, *counts, seconds, model.n_parameters]


def main() -> None:
    parser = argparse.ArgumentParser(description="From classic to modern, one step at a time.")
    parser.add_argument("--corpus", default="basics")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--from", dest="first", type=int, default=0, help="step to begin with; 0: classic")
    args = parser.parse_args()
    corpus = load_corpus(args.corpus)
    columns = "right, % | declined, %" if corpus.held_out else "exact | of"
    print(f"| step | loss | {columns} | seconds | parameters |\n|---|---|---|---|---|---|")
    for name, recipe in recipes()[args.first :]:
        found = [measure(recipe, corpus, seed) for seed in range(args.seeds)]
        loss, *counts, seconds, size = (median(column) for column in zip(*found, strict=True))
        shown = " | ".join(f"{count:.4g}" for count in counts)
        print(f"| {name} | {loss:.3f} | {shown} | {seconds:.1f} | {size:,} |", flush=True)


if __name__ == "__main__":
    main()
