"""A conversation remembers what the model was trained to remember, and nothing that was given up."""

from collections.abc import Callable

import pytest
from conversing import PROMPTS, Make, converse, read

from tinychat.corpus import Turn
from tinychat.errors import UsageError
from tinychat.generation.session import ChatSession
from tinychat.model import Model

Favour = Callable[[Model, int], None]


@pytest.mark.parametrize(("max_turns", "n_kept"), [(1, 0), (2, 1), (3, 2), (4, 3), (9, 4)])
def test_as_many_turns_as_in_training_less_the_question(
    make_model: Make, max_turns: int, n_kept: int
) -> None:
    model = make_model(max_seq_len=400, max_turns=max_turns)
    session = converse(model)
    expected = [
        index
        for turn in session.turns[len(PROMPTS) - n_kept :]
        for index in (*model.tokenizer.encode(str(turn)), model.tokenizer.end_id)
    ]
    assert session.ask("How?").prompt_ids == expected + model.tokenizer.encode("User: How? Assistant:")
    assert expected.count(model.tokenizer.end_id) == n_kept


def test_a_model_without_dialogues_just_writes_on(make_model: Make) -> None:
    model = make_model(max_turns=0)
    session = converse(model)
    assert session.ask(" What is rain? ").prompt_ids == model.tokenizer.encode("What is rain?")


def test_turns_are_what_was_asked_and_answered(make_model: Make) -> None:
    model = make_model(max_seq_len=100, max_turns=2)
    session = ChatSession(model)
    reply = session.ask("  What is rain?\n")
    text = reply.finish()
    session.remember(reply)
    assert session.turns == [Turn("What is rain?", text)]
    assert text


def test_a_dropped_reply_is_not_remembered(make_model: Make) -> None:
    model = make_model(max_seq_len=100, max_turns=3)
    session = ChatSession(model)
    fresh = session.ask("How?").prompt_ids
    dropped = session.ask("What is rain?")
    next(iter(dropped))
    assert dropped.ids
    assert session.turns == []
    assert session.ask("How?").prompt_ids == fresh


def test_a_stopped_reply_is_remembered_as_far_as_it_goes(make_model: Make) -> None:
    model = make_model(max_seq_len=100, max_turns=3)
    session = ChatSession(model)
    stopped = session.ask("What is rain?")
    for _ in stopped:
        if len(stopped.ids) == 3:
            break
    session.remember(stopped)
    assert session.turns == [Turn("What is rain?", model.tokenizer.decode(stopped.ids))]
    assert len(stopped.ids) == 3


def test_an_empty_answer_is_not_remembered(model: Model, favour: Favour) -> None:
    favour(model, model.tokenizer.end_id)
    session = ChatSession(model)
    reply = session.ask("How?")
    assert reply.finish() == ""
    session.remember(reply)
    assert session.turns == []


def test_an_empty_prompt_changes_nothing(make_model: Make) -> None:
    session = converse(make_model(max_seq_len=100, max_turns=3))
    before = list(session.turns)
    with pytest.raises(UsageError):
        session.ask(" \n")
    assert session.turns == before


def test_clear_forgets_everything(make_model: Make) -> None:
    model = make_model(max_seq_len=400, max_turns=9)
    session = converse(model)
    assert len(session.turns) == len(PROMPTS)
    session.clear()
    assert session.turns == []
    assert session.ask("How?").prompt_ids == ChatSession(model).ask("How?").prompt_ids


def test_two_sessions_of_one_model_know_nothing_of_each_other(make_model: Make) -> None:
    model = make_model(max_seq_len=400, max_turns=9)
    converse(model)
    assert ChatSession(model).turns == []


def test_a_conversation_never_outgrows_the_context(make_model: Make) -> None:
    model = make_model(max_seq_len=48, max_turns=99)
    session = ChatSession(model)
    for prompt in PROMPTS * 3:
        reply = session.ask(prompt)
        reply.finish()
        session.remember(reply)
        assert len(reply.prompt_ids) + len(reply.ids) <= 48
        assert reply.ids


def test_the_fill_is_what_the_model_has_before_it(make_model: Make) -> None:
    model = make_model(max_seq_len=40, max_turns=3)
    session = ChatSession(model)
    assert session.fill == 0
    reply = session.ask("How?")
    assert session.fill == len(reply.prompt_ids) > 0
    read(reply, 4)
    assert session.fill == len(reply.prompt_ids) + 4
    session.remember(reply)
    after = session.ask("What is rain?")
    assert (
        session.fill == len(after.prompt_ids) > len(reply.prompt_ids) + 4
    )  # the first turn stands before it
    read(after)
    assert session.fill == 40
    session.clear()
    assert session.fill == 0
