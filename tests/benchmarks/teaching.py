"""What teaching costs and keeps: ten pairs, each taught alone, to every model that is given.

    python tests/benchmarks/teaching.py MODEL.npz… [--pairs N] [--asked N] [--alone]

Prints a Markdown row a model: seconds of a lesson by the clock (the median and the longest), how many
questions were answered rightly in the taught wording, in three rewordings that were not learnt, in how many
pairs at least two of the three were, and of 100 former right answers those that stay word for word.
With --alone the corpus is treated as lost; the questions that the file keeps are those of a new model.
"""

import argparse
import sys
from statistics import mean, median
from time import perf_counter

import numpy as np
from teaching_pairs import PAIRS
from threadpoolctl import threadpool_limits

from tinychat.corpus import Dialogue, load_corpus
from tinychat.errors import LessonError
from tinychat.generation.answers import answers
from tinychat.model import Model
from tinychat.training.replay import questions_of
from tinychat.training.teaching import Lesson
from tinychat.weights import load


def right_before(model: Model, n: int) -> list[tuple[str, Dialogue, str]]:
    """Questions of its corpus, learnt or held out, that it answers: at most n of them, drawn alike."""
    corpus = load_corpus(model.card.corpus_source)
    dialogues = (*corpus.dialogues, *corpus.held_out)
    asked = [(d[t].user, d[:t], d[t].assistant) for d in dialogues for t in range(len(d))]
    asked = [asked[index] for index in np.random.default_rng(0).permutation(len(asked))[:n]]
    found = answers(model, [(question, earlier) for question, earlier, _ in asked])
    return [case for case, answer in zip(asked, found, strict=True) if answer == case[2]]


def measure(model: Model, n_pairs: int, n_asked: int, is_alone: bool) -> str:
    former = right_before(model, n_asked)
    if is_alone:
        model.card.rehearsal = questions_of(load_corpus(model.card.corpus_source).dialogues)
        model.card.corpus_source = "/nowhere"
    seconds, taught, rewordings, kept, refused = [], 0, [], [], 0
    for question, answer, others in PAIRS[:n_pairs]:
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
        lesson.take_back()
    shown = f"{min(kept):.1f} | {mean(kept):.1f}" if kept else "- | -"
    return (
        f"{median(seconds):.2f} | {max(seconds):.2f} | {refused} | {taught} of {n_pairs} | "
        f"{sum(rewordings)} of {3 * n_pairs} | {sum(n >= 2 for n in rewordings)} of {n_pairs} | "
        f"{shown} | {len(former)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What teaching costs and keeps.")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--pairs", type=int, default=len(PAIRS))
    parser.add_argument("--asked", type=int, default=600)
    parser.add_argument("--alone", action="store_true")
    args = parser.parse_args()
    print(
        "| model | s | most | refused | taught | rewordings | two of three | kept, least | mean | of |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )
    for path in args.models:
        model = load(path)
        name = f"{model.card.preset} on {model.card.corpus}, seed {model.card.seed}"
        with threadpool_limits(1, "blas"):
            print(f"| {name} | {measure(model, args.pairs, args.asked, args.alone)} |", flush=True)


if __name__ == "__main__":
    main()
