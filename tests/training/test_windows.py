"""Windows onto running text: where they stand, how many, and what is held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_rows import draw
from tiny_runs import CORPUS, DIALOGUES, FACTS, start, trained

from tinychat.corpus import Corpus, load_corpus
from tinychat.errors import CorpusError
from tinychat.tokenizer import CharTokenizer
from tinychat.training.batches import to_batch
from tinychat.training.evaluate import evaluate
from tinychat.training.events import EpochDone, PhaseStarted
from tinychat.training.run import TrainingRun
from tinychat.training.windows import WindowRows, split_text

TEXT = "Rain falls.\nSnow melts.\n\nClouds hide the sun.\n" * 4
RUNNING = Corpus("running", (TEXT,), text=TEXT)


def rows_of(n_tokens: int, context: int, count: int | None = None) -> WindowRows:
    return WindowRows(np.arange(n_tokens), context, count)


@given(st.integers(2, 200), st.integers(2, 30), st.integers(1, 50), st.integers(0, 99))
def test_a_window_is_a_stretch_of_the_text(n_tokens: int, context: int, count: int, seed: int) -> None:
    rows = rows_of(n_tokens, context, count)
    for drawn in (rows.clean, draw(rows, np.random.default_rng(seed))):
        assert len(drawn) == count
        for row in drawn:
            first = row.tokens[0]
            assert row.tokens == list(range(first, first + min(context + 1, n_tokens)))
            assert row.tokens[-1] < n_tokens
            assert row.n_predicted == len(row.tokens) - 1 <= context


@given(st.integers(2, 200), st.integers(2, 30))
def test_without_a_count_the_windows_cover_the_text(n_tokens: int, context: int) -> None:
    rows = rows_of(n_tokens, context).clean
    predicted = {token for row in rows for token in row.tokens[1:]}
    assert predicted == set(range(1, n_tokens))
    assert len(rows) == -(-(n_tokens - 1) // min(context, n_tokens - 1))  # no more than it takes


@pytest.mark.parametrize("n_tokens", [0, 1])
def test_of_a_text_with_nothing_to_predict_there_are_none(n_tokens: int) -> None:
    assert rows_of(n_tokens, 8).clean == rows_of(n_tokens, 8, 5).clean == []


def test_windows_are_drawn_from_everywhere_alike() -> None:
    rows = rows_of(13, 4, 900)
    starts = np.array([row.tokens[0] for row in draw(rows, np.random.default_rng(0))])
    counts = np.bincount(starts, minlength=9)
    assert len(counts) == 9
    assert counts.min() > 70
    assert counts.max() < 130


def test_the_generator_alone_decides() -> None:
    rows = rows_of(100, 8, 20)
    assert draw(rows, np.random.default_rng(1)) == draw(rows, np.random.default_rng(1))
    assert draw(rows, np.random.default_rng(1)) != draw(rows, np.random.default_rng(2))


def test_the_end_of_the_text_is_held_out() -> None:
    first, rest = split_text(np.arange(50), 0.1)
    assert first.tolist() == list(range(45))
    assert rest.tolist() == list(range(45, 50))
    assert len(split_text(np.arange(50), 0.0)[1]) == 0


# In a run


def run_of(corpus: Corpus = RUNNING, **changes: object) -> TrainingRun:
    return start(corpus, tokenizer="char", **{"windows": 10, "batch_size": 4, **changes})


def test_an_epoch_has_as_many_windows_as_the_recipe_says() -> None:
    events = list(run_of(pretrain_epochs=2).run())
    [started] = [event for event in events if isinstance(event, PhaseStarted)]
    assert (started.examples, started.tokens) == (10, 10 * 24)
    assert sum(event.name == "step_done" for event in events) == 2 * 3


def test_line_breaks_are_learnt() -> None:
    tokenizer = run_of().model.tokenizer
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT
    assert "\n" not in tokenizer.decode(
        start(replace(CORPUS, dialogues=()), tokenizer="char").model.tokenizer.encode("a\nb")
    )


def test_what_is_learnt_is_measured_on_the_end_of_the_text() -> None:
    run = run_of(pretrain_epochs=3, validation=0.25)
    records = [event for event in run.run() if isinstance(event, EpochDone)]
    last = TEXT[-round(0.25 * len(TEXT)) :]
    tokens = np.array(run.model.tokenizer.encode(last))
    losses = [run.model.transformer.loss(*to_batch([row])) for row in WindowRows(tokens, 24).clean]
    mean = sum(loss.total for loss in losses) / sum(loss.tokens for loss in losses)
    best = min(record.held_out_loss for record in records if record.held_out_loss is not None)
    assert best == pytest.approx(mean, rel=1e-5)


def test_a_text_is_learnt_by_heart() -> None:
    model = trained(RUNNING, tokenizer="char", windows=64, batch_size=8, pretrain_epochs=30, lr=0.01)
    found = evaluate(model, RUNNING)
    assert found.loss < 0.3
    assert model.ask("Snow").startswith(" melts.\n\nClouds hide")


def test_measured_is_the_text_as_it_was_learnt() -> None:
    """Not its lines: the model has seen no end of one."""
    model = trained(RUNNING, tokenizer="char", windows=8, batch_size=4)
    tokens = np.array(model.tokenizer.encode(TEXT))
    batch = to_batch(WindowRows(tokens, 24).clean)
    assert evaluate(model, RUNNING).loss == pytest.approx(model.transformer.loss(*batch).mean, rel=1e-5)


def test_the_same_from_a_file_and_from_python(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT.replace("\n", "\r\n").encode())
    run = run_of(load_corpus(tmp_path / "a.txt"))
    assert run.corpus.facts == (TEXT,)
    assert run.model.card.corpus_fingerprint == run_of().model.card.corpus_fingerprint
    for _ in run.run():
        pass
    again = TrainingRun.resume(run.model)
    assert again.corpus.facts == (TEXT,)


def test_a_conversation_may_follow_upon_a_text() -> None:
    run = run_of(replace(CORPUS, text=TEXT))
    phases = {event.phase for event in run.run() if isinstance(event, EpochDone)}
    assert phases == {"pretrain", "tune"}
    assert (run.model.card.n_facts, run.model.card.n_dialogues) == (1, len(DIALOGUES))


def test_sentences_from_python_are_a_text_of_lines() -> None:
    assert run_of(Corpus("lines", FACTS)).corpus.facts == ("".join(f"{fact}\n" for fact in FACTS),)


def test_a_text_of_one_token_is_refused() -> None:
    with pytest.raises(CorpusError, match="too short"):
        run_of(Corpus("short", ("a",), text="a"))
    short = run_of(Corpus("short", ("ab",), text="ab"))
    assert isinstance(short.model.tokenizer, CharTokenizer)
    assert [event.loss > 0 for event in short.run() if isinstance(event, EpochDone)] == [True] * 2


@pytest.mark.parametrize(
    ("n", "validation", "n_last"), [(76, 0.005, 2), (76, 0.5, 38), (3, 0.1, 2), (1, 0.1, 1), (0, 0.1, 0)]
)
def test_what_is_held_out_can_be_read_and_predicted(n: int, validation: float, n_last: int) -> None:
    first, rest = split_text(np.arange(n), validation)
    assert [*first, *rest] == list(range(n))
    assert len(rest) == n_last
