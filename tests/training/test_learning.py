"""What the presets promise, on the corpora that people start with."""

from pathlib import Path

import pytest

from tinychat.corpus import Corpus, load_corpus
from tinychat.presets import preset
from tinychat.training.run import TrainingRun

RUSTGPT = Path(__file__).parents[3] / "shared" / "data" / "rustgpt"
seeds = pytest.mark.parametrize("seed", range(5))


def trained_to_the_end(corpus: Corpus, seed: int) -> TrainingRun:
    run = TrainingRun.start(corpus, preset("classic"), seed)
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
