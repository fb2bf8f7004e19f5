"""What the presets promise, on the corpora that people start with."""

from pathlib import Path

import pytest

from tinychat.corpus import Corpus, load_corpus
from tinychat.generation.answers import answers
from tinychat.presets import preset
from tinychat.training.held_out import measure_held_out
from tinychat.training.run import TrainingRun

RUSTGPT = Path(__file__).parents[3] / "shared" / "data" / "rustgpt"
seeds = pytest.mark.parametrize("seed", range(5))


def trained_to_the_end(corpus: Corpus, seed: int, name: str = "classic") -> TrainingRun:
    run = TrainingRun.start(corpus, preset(name), seed)
    for _ in run.run():
        pass
    return run


@pytest.mark.slow
@pytest.mark.skipif(not RUSTGPT.is_dir(), reason=f"RustGPT's training texts are not at {RUSTGPT}")
@seeds
def test_classic_learns_rustgpt_by_heart(seed: int) -> None:
    corpus = load_corpus(RUSTGPT)
    model = trained_to_the_end(corpus, seed).model
    found = model.evaluate(corpus)
    assert (found.exact, found.dialogues) == (53, 53)
    assert model.card.final_loss is not None
    assert model.card.final_loss <= 0.22
    [answer] = {d[0].assistant for d in corpus.dialogues if d[0].user == "How do mountains form?"}
    assert model.ask("How do mountains form?") == answer


@pytest.mark.slow
def test_classic_learns_the_bundled_corpus() -> None:
    corpus = load_corpus()
    found = trained_to_the_end(corpus, seed=0).model.evaluate(corpus)
    assert found.exact >= 0.95 * found.dialogues


@pytest.mark.slow
@pytest.mark.skipif(not RUSTGPT.is_dir(), reason=f"RustGPT's training texts are not at {RUSTGPT}")
@seeds
def test_modern_learns_rustgpt_by_heart(seed: int) -> None:
    corpus = load_corpus(RUSTGPT)
    assert trained_to_the_end(corpus, seed, "modern").model.evaluate(corpus).exact == 53


@pytest.mark.slow
def test_modern_answers_what_it_has_never_seen_and_declines_what_it_does_not_know() -> None:
    """The README has the figures of three seeds; another machine rounds otherwise, and is like one more."""
    corpus = load_corpus("world")
    model = trained_to_the_end(corpus, 0, "modern").model
    assert model.n_parameters <= 1_500_000
    held_out = measure_held_out(
        lambda questions: answers(model, [(question, ()) for question in questions]), corpus
    )
    assert held_out.right >= 0.88 * held_out.known
    assert held_out.honest_declines >= 0.86 * held_out.unknown
    assert held_out.false_declines <= 0.05 * held_out.known
    assert held_out.misspelt_right >= 0.75 * held_out.known
