"""What a phase learns from: rows that are cut, that teach nothing, and corpora with holes."""

from contextlib import suppress
from dataclasses import replace

import pytest
from tiny_runs import CORPUS, DIALOGUES, FACTS, start

from tinychat.corpus import Corpus, Turn
from tinychat.errors import TinychatError, UsageError
from tinychat.training.events import PhaseStarted
from tinychat.training.run import TrainingRun


@pytest.mark.parametrize(
    "corpus",
    [
        Corpus("an empty fact", ("", *FACTS)),
        Corpus("an empty question", FACTS, ((Turn("", "Rain."),),)),
        Corpus("an empty dialogue", FACTS, ((),)),
        Corpus("nothing but spaces", (" ",), DIALOGUES),
    ],
    ids=lambda corpus: corpus.name,
)
def test_a_corpus_with_holes_is_learnt_or_refused(corpus: Corpus) -> None:
    with suppress(TinychatError):
        list(start(corpus).run())


def test_long_rows_are_cut_and_counted() -> None:
    long_fact = " ".join(["Rain falls"] * 20) + "."
    long_dialogue = (Turn("What falls?", long_fact),)
    corpus = Corpus("long", (*FACTS, long_fact), (*DIALOGUES, long_dialogue), warnings=("read with care",))
    run = start(corpus)
    assert run.warnings[0] == "read with care"
    assert len(run.warnings) == 2
    assert run.warnings[1].startswith("2 rows had to be cut at the context of 24 tokens")
    assert corpus.warnings == ("read with care",)
    events = list(run.run())
    assert [event.examples for event in events if isinstance(event, PhaseStarted)] == [6, 4]
    assert TrainingRun(run.model, corpus).warnings == run.warnings
    assert start().warnings == []
    assert start(workers=3).warnings[0].startswith("3 workers cannot share a batch of 1 row;")
    assert len(start(workers=3).warnings) == 1, "one line for both phases"


def test_cut_rows_are_counted_whether_they_are_held_out_or_not() -> None:
    long_fact = " ".join(["Rain falls"] * 20) + "."
    corpus = replace(CORPUS, facts=(*FACTS, *[long_fact] * 5))
    for seed in range(3):
        run = start(corpus, seed=seed, validation=0.5)
        assert run.warnings[0].startswith("5 rows had to be cut at the context of 24 tokens")


LONG_QUESTION = (Turn(" ".join(["What falls?"] * 20), "Rain."),)


def test_a_question_that_leaves_no_room_for_its_answer_teaches_nothing() -> None:
    """Where only answers count, nothing of its row does."""
    corpus = replace(CORPUS, dialogues=(*DIALOGUES[:2], LONG_QUESTION, DIALOGUES[2]))
    run = start(corpus, mask_prompt=True)
    assert run.warnings[0].startswith("1 row had to be cut")
    events = list(run.run())
    tune = [event for event in events if isinstance(event, PhaseStarted)][1]
    # "Rain falls." and "The sun melts it." and "Birds sing." and "When the sun is out.", each with its end.
    assert (tune.examples, tune.tokens) == (3, 4 + 6 + 4 + 7)
    without_mask = [e for e in start(corpus).run() if isinstance(e, PhaseStarted)][1]
    assert without_mask.examples == 4


@pytest.mark.parametrize("validation", [0.0, 0.5])
def test_a_corpus_of_which_nothing_could_be_learnt_is_refused(validation: float) -> None:
    corpus = replace(CORPUS, dialogues=(LONG_QUESTION, LONG_QUESTION))
    with pytest.raises(UsageError, match="max_seq_len"):
        start(corpus, mask_prompt=True, validation=validation)
