"""What teaching costs and keeps: twenty pairs, each taught alone, to every model that is given.

    python tests/benchmarks/teaching.py MODEL.npz… [--others] [--pairs N] [--asked N] [--alone] [--in-a-row]

Prints a Markdown row a model: seconds of a lesson by the clock (the median and the longest), how many
questions were answered rightly in the taught wording, in three rewordings that were not learnt, in how many
pairs at least two of the three were, and of 100 former right answers those that stay word for word.
With --others these are the twenty pairs by which no constant was chosen. With --alone the corpus is treated
as lost. With --in-a-row no lesson is taken back: the last column is how many of all that was taught is
answered rightly at the end.
"""

import argparse
import sys
from collections.abc import Sequence
from statistics import mean, median
from time import perf_counter

import numpy as np
from teaching_pairs import OTHERS, PAIRS
from threadpoolctl import threadpool_limits

from tinychat.corpus import Dialogue, load_corpus
from tinychat.errors import LessonError
from tinychat.generation.answers import answers
from tinychat.model import Model
from tinychat.training.teaching import Lesson
from tinychat.weights import load

Pair = tuple[str, str, list[str]]


def right_before(model: Model, n: int) -> list[tuple[str, Dialogue, str]]:
    """Questions of its corpus, learnt or held out, that it answers: at most n of them, drawn alike."""
    corpus = load_corpus(model.card.corpus_source)
    dialogues = (*corpus.dialogues, *corpus.held_out)
    asked = [(d[t].user, d[:t], d[t].assistant) for d in dialogues for t in range(len(d))]
    asked = [asked[index] for index in np.random.default_rng(0).permutation(len(asked))[:n]]
    found = answers(model, [(question, earlier) for question, earlier, _ in asked])
    return [case for case, answer in zip(asked, found, strict=True) if answer == case[2]]


def measure(model: Model, pairs: Sequence[Pair], n_asked: int, is_alone: bool, in_a_row: bool) -> str:
    former, n_pairs = right_before(model, n_asked), len(pairs)
    if is_alone:
        model.card.corpus_source = "/nowhere"
    seconds, taught, rewordings, kept, refused = [], 0, [], [], 0
    for question, answer, others in pairs:
        start = perf_counter()
        try:
            lesson = Lesson(model, question, answer)
            for _ in lesson.run():
                pass
        except LessonError as error:
            print(f"refused: {question} {error}", file=sys.stderr)
            refused += 1
            seconds.append(perf_counter() - start)
            rewordings.append(0)
            continue
        lesson.put_in()
        seconds.append(perf_counter() - start)
        assert lesson.asked.isdisjoint(others), "a rewording was learnt; word it otherwise"
        taught += model.ask(question) == answer
        rewordings.append(sum(model.ask(other) == answer for other in others))
        after = answers(model, [(asked, earlier) for asked, earlier, _ in former])
        same = sum(found == case[2] for found, case in zip(after, former, strict=True))
        kept.append(100 * same / len(former))
        if not in_a_row:
            lesson.take_back()
    at_end = sum(model.ask(turn.user) == turn.assistant for turn in model.card.taught)
    shown = f"{min(kept):.1f} | {mean(kept):.1f}" if kept else "- | -"
    return (
        f"{median(seconds):.2f} | {max(seconds):.2f} | {refused} | {taught} of {n_pairs} | "
        f"{sum(rewordings)} of {3 * n_pairs} | {sum(n >= 2 for n in rewordings)} of {n_pairs} | "
        f"{shown} | {len(former)}" + (f" | {at_end}" if in_a_row else "")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What teaching costs and keeps.")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--pairs", type=int, default=len(PAIRS))
    parser.add_argument("--asked", type=int, default=600)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--in-a-row", action="store_true")
    args = parser.parse_args()
    pairs = (OTHERS if args.others else PAIRS)[: args.pairs]
    print(
        "| model | s | most | refused | taught | rewordings | two of three | kept, least | mean | of |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )
    for path in args.models:
        model = load(path)
        name = f"{model.card.preset} on {model.card.corpus}, seed {model.card.seed}"
        with threadpool_limits(1, "blas"):
            print(f"| {name} | {measure(model, pairs, args.asked, args.alone, args.in_a_row)} |", flush=True)


if __name__ == "__main__":
    main()
