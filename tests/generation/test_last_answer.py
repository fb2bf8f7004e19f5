"""The last answer of a conversation: again, otherwise, further."""

import pytest
from conversing import Make, converse, read

from tinychat.corpus import Turn
from tinychat.errors import UsageError
from tinychat.generation.beam import Beams
from tinychat.generation.sampling import Sampling
from tinychat.generation.session import ChatSession
from tinychat.model import Model


def test_a_question_that_is_edited_takes_the_place_of_the_last(make_model: Make) -> None:
    model = make_model(max_seq_len=200, max_turns=4)
    session = converse(model, ("How?", "What is rain?"))
    first = session.turns[0]
    alone = converse(model, ("How?",))
    reply = session.edit(" What is water? ")
    assert session.turns == [first]
    assert reply.prompt_ids == alone.ask("What is water?").prompt_ids
    session.remember(read(reply))
    assert [turn.user for turn in session.turns] == ["How?", "What is water?"]


def test_an_edit_of_a_question_that_was_not_remembered_takes_no_turn_back(make_model: Make) -> None:
    session = converse(make_model(max_seq_len=200, max_turns=4), ("How?",))
    read(session.ask("What is rain?"), 1)
    before = list(session.turns)
    session.edit("What is water?")
    assert session.turns == before
    session.edit("What?")  # once more, with no answer in between
    assert session.turns == before


def test_an_edit_to_nothing_changes_nothing(make_model: Make) -> None:
    session = converse(make_model(max_seq_len=200, max_turns=4), ("How?", "What is rain?"))
    before, last = list(session.turns), session.last
    with pytest.raises(UsageError, match="empty"):
        session.edit("  ")
    assert (session.turns, session.last) == (before, last)
    session.edit("What?")
    assert session.turns == before[:1]


def test_before_the_first_question_there_is_none_to_change(model: Model) -> None:
    session = ChatSession(model)
    for change in (session.regenerate, lambda: session.edit("How?")):
        with pytest.raises(UsageError, match="nothing was asked yet"):
            change()
    session.remember(read(session.ask("How?")))
    session.clear()
    with pytest.raises(UsageError, match="nothing was asked yet"):
        session.regenerate()


def test_an_answer_that_is_drawn_again_is_another_one(make_model: Make) -> None:
    model = make_model(max_seq_len=60, max_turns=2)
    session = ChatSession(model, Sampling(1.0, seed=3))
    session.remember(read(session.ask("How?")))
    first = session.turns[0]
    again = read(session.regenerate())
    session.remember(again)
    [second] = session.turns
    assert (second.user, first.user) == ("How?", "How?")
    assert second.assistant != first.assistant
    repeated = ChatSession(model, Sampling(1.0, seed=3))
    assert [read(repeated.ask("How?")).text, read(repeated.regenerate()).text] == [
        first.assistant,
        second.assistant,
    ]


def test_the_likeliest_words_are_the_same_again(make_model: Make) -> None:
    session = converse(make_model(max_seq_len=60), ("How?",))
    text = read(session.last).text if session.last else ""
    assert read(session.regenerate()).text == text != ""


def test_a_stopped_answer_that_goes_on_is_one_turn(make_model: Make) -> None:
    model = make_model(max_seq_len=60, max_turns=3)
    session = converse(model, ("What is rain?",))
    whole = read(ChatSession.ask(converse(model, ("What is rain?",)), "How?"))
    reply = read(session.ask("How?"), 2)
    session.remember(reply)
    stopped = list(session.turns)
    assert (session.last, reply.is_complete) == (reply, False)
    session.remember(read(reply))
    assert session.turns == [stopped[0], Turn("How?", whole.text)]
    assert len(whole.text) > len(stopped[1].assistant)


@pytest.mark.parametrize("sampling", [Sampling(1.3, top_p=0.9, seed=5), Beams(3), Beams(4, 0.0)], ids=str)
@pytest.mark.parametrize("seed", [0, 3])
def test_an_answer_that_was_stopped_goes_on_as_if_it_had_not_been(
    make_model: Make, sampling: Sampling | Beams, seed: int
) -> None:
    model = make_model(max_seq_len=60, seed=seed)
    whole = read(ChatSession(model, sampling).ask("How?"))
    assert whole.n_tokens == 60
    for n_tokens in (1, 3, 20):
        stopped = read(ChatSession(model, sampling).ask("How?"), n_tokens)
        assert stopped.ids == whole.ids[:n_tokens]
        assert read(stopped).ids == whole.ids


def test_tokens_may_be_chosen_otherwise_from_the_next_answer_on(make_model: Make) -> None:
    model = make_model(max_seq_len=60)
    session = ChatSession(model)
    greedy = read(session.ask("How?")).ids
    session.choose_by(Sampling(1.0, seed=2))
    drawn = read(session.ask("How?")).ids
    assert drawn != greedy
    session.choose_by(Sampling(1.0, seed=2))
    assert read(session.ask("How?")).ids == drawn


def test_an_answer_under_way_is_chosen_otherwise_from_the_next_token_on(make_model: Make) -> None:
    model = make_model(max_seq_len=60)
    session = ChatSession(model)
    greedy = read(session.ask("How?")).ids
    reply = session.ask("How?")
    texts = iter(reply)
    for _ in range(5):
        next(texts)
    session.choose_by(Sampling(2.0, seed=2))
    next(texts)
    session.choose_by(Sampling())
    for _ in texts:
        pass
    assert reply.ids[:5] == greedy[:5]
    assert reply.ids[5] != greedy[5]
    assert len(reply.ids) == len(greedy)


def test_beams_wait_for_the_next_answer(make_model: Make) -> None:
    session = ChatSession(make_model(max_seq_len=40))
    greedy = read(session.ask("How?")).ids
    reply = session.ask("How?")
    texts = iter(reply)
    next(texts)
    session.choose_by(Beams(3))
    for _ in texts:
        pass
    assert reply.ids == greedy
    assert session.ask("How?").sampling == Beams(3)
