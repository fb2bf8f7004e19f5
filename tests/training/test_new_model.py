"""A new model's card tells where it comes from, and has questions from all over the corpus."""

from dataclasses import replace

from tiny_runs import CORPUS, DIALOGUES, start

from tinychat.corpus import Turn
from tinychat.training.events import EpochDone


def test_the_card_tells_where_the_model_comes_from() -> None:
    run = start(seed=3)
    card = run.model.card
    assert (card.preset, card.seed, card.corpus, card.corpus_source) == ("tiny", 3, "tiny", "tiny")
    assert (card.n_facts, card.n_dialogues, card.max_turns) == (5, 3, 2)
    assert card.corpus_fingerprint == CORPUS.fingerprint
    assert list(card.configs) == ["pretrain", "tune"]
    assert card.is_chat
    assert not card.is_finished
    assert (card.final_loss, card.epochs_done) == (None, 0)
    events = list(run.run())
    assert card.is_finished
    assert card.epochs_done == 7
    last = [event for event in events if isinstance(event, EpochDone)][-1]
    assert card.final_loss == last.loss


def test_the_card_has_questions_from_all_over_a_large_corpus() -> None:
    dialogues = tuple((Turn(f"Is it {number}?", "Yes."), Turn("And now?", "No.")) for number in range(1300))
    rehearsal = start(replace(CORPUS, dialogues=dialogues)).model.card.rehearsal
    assert rehearsal == [[f"Is it {number}?", "And now?"] for number in range(0, 1300, 3)]


def test_no_question_that_it_does_not_know_is_proposed() -> None:
    corpus = replace(CORPUS, dialogues=(*DIALOGUES, (Turn("Why is the moon so round?", "Who knows."),)))
    assert "Why is the moon so round?" in start(corpus).model.card.examples
    assert (
        "Why is the moon so round?"
        not in start(replace(corpus, declines=("Who knows.",))).model.card.examples
    )
