"""What becomes of a prompt on its way into the model, and of the answer on its way out."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinychat.corpus import Turn
from tinychat.corpus.dialogue import ask_text
from tinychat.errors import UsageError
from tinychat.generation.reply import Reply, reply_to
from tinychat.model import Model

Favour = Callable[[Model, int], None]
Make = Callable[..., Model]


def ask(model: Model, prompt: str, chat: bool = True, earlier: tuple[Turn, ...] = ()) -> Reply:
    return reply_to(prompt, model.transformer, model.tokenizer, chat, earlier)


# The prompt


@pytest.mark.parametrize("prompt", ["", " ", "\n", "\t \r\n", "\u00a0", "\u2003\x0b"])
@pytest.mark.parametrize("chat", [True, False])
def test_an_empty_prompt_is_refused(model: Model, prompt: str, chat: bool) -> None:
    with pytest.raises(UsageError) as caught:
        ask(model, prompt, chat)
    assert "\n" not in str(caught.value)


def test_a_chat_prompt_ends_where_the_answer_begins(model: Model) -> None:
    reply = ask(model, "What is rain?")
    assert model.tokenizer.decode(reply.prompt_ids) == "User: What is rain? Assistant:"
    assert model.tokenizer.end_id not in reply.prompt_ids
    assert (reply.prompt, reply.n_dropped, reply.unknown_words) == ("What is rain?", 0, [])


def test_without_chat_the_prompt_stands_alone(model: Model) -> None:
    reply = ask(model, "What is rain?", chat=False)
    assert reply.prompt_ids == model.tokenizer.encode("What is rain?")


@pytest.mark.parametrize("chat", [True, False])
def test_white_space_around_a_prompt_does_not_count(model: Model, chat: bool) -> None:
    reply = ask(model, " \n What is rain?\t\n", chat)
    assert reply.prompt == "What is rain?"
    assert reply.prompt_ids == ask(model, "What is rain?", chat).prompt_ids


QUESTIONS = st.lists(
    st.sampled_from(["How", "rain", "zzz", "?", ".", "(", "'", "3", "🙂", "User:", "Assistant:", "</s>"]),
    min_size=1,
)


@given(QUESTIONS.map(" ".join), QUESTIONS.map(" ".join))
def test_training_texts_begin_with_the_prompt(make_model: Make, question: str, answer: str) -> None:
    tokenizer = make_model().tokenizer
    asked = tokenizer.encode(ask_text(question))
    assert tokenizer.encode(str(Turn(question, answer)))[: len(asked)] == asked


@pytest.mark.parametrize("chat", [True, False])
def test_a_long_prompt_loses_its_oldest_part(model: Model, chat: bool) -> None:
    prompt = "How do mountains form? " * 5 + "What is rain?"
    whole = model.tokenizer.encode(ask_text(prompt) if chat else prompt)
    reply = ask(model, prompt, chat)
    assert reply.n_dropped > 0
    kept = [*model.tokenizer.encode("User:")] if chat else []
    assert reply.prompt_ids == kept + whole[len(kept) + reply.n_dropped :]
    assert 0 < len(reply.prompt_ids) < model.config.max_seq_len
    assert model.tokenizer.decode(reply.prompt_ids).endswith("rain? Assistant:" if chat else "rain?")


def test_a_long_prompt_still_gets_an_answer(model: Model) -> None:
    reply = ask(model, "How " * 200)
    reply.finish()
    assert len(reply.ids) >= 4
    assert len(reply.prompt_ids) + len(reply.ids) == 16


@given(st.integers(2, 40), st.integers(1, 60), st.booleans())
def test_any_length_fits_into_any_context(make_model: Make, context: int, n_words: int, chat: bool) -> None:
    model = make_model(max_seq_len=context)
    prompt = " ".join((["How", "do", "mountains"] * 20)[:n_words])
    whole = model.tokenizer.encode(ask_text(prompt) if chat else prompt)
    reply = ask(model, prompt, chat)
    assert 1 <= len(reply.prompt_ids) < context
    assert len(reply.prompt_ids) + reply.n_dropped == len(whole)
    marks = len(model.tokenizer.encode("User:")) if chat and reply.n_dropped < len(whole) - 3 else 0
    assert reply.prompt_ids == whole[:marks] + whole[marks + reply.n_dropped :]
    if len(whole) <= context // 2:
        assert reply.n_dropped == 0


# Unknown words


def test_unknown_words_are_told_once_and_in_order(model: Model) -> None:
    reply = ask(model, "  zebra: What is fog, yak or zebra?")
    assert reply.unknown_words == ["zebra", "fog", "yak", "or"]
    assert [reply.prompt[start:end] for start, end in reply.unknown_spans] == [
        "zebra",
        "fog",
        "yak",
        "or",
        "zebra",
    ]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("How (do) [mountains] {form}?", ["(", ")", "[", "]", "{", "}"]),
        ("How 🙂 do 🙂👩‍🚀 mountains?", ["🙂", "🙂👩‍🚀"]),
        ("雨 是 什么？", ["雨", "是", "什么？"]),
        ("[bold]rain[/bold]", ["[", "bold", "]", "/"]),
        ("</s> <unk> <join>", ["<", "/", "s", ">", "unk", "join"]),
        ("🙂", ["🙂"]),
    ],
)
@pytest.mark.parametrize("chat", [True, False])
def test_strange_prompts_are_read(
    make_model: Make, favour: Favour, prompt: str, words: list[str], chat: bool
) -> None:
    model = make_model(max_seq_len=64)
    favour(model, 7)
    reply = ask(model, prompt, chat)
    assert reply.unknown_words == words
    assert model.tokenizer.end_id not in reply.prompt_ids
    assert reply.prompt_ids.count(model.tokenizer.unknown_id) == len(reply.unknown_spans)
    assert len(list(reply)) == 64 - len(reply.prompt_ids)


# Earlier turns

SHORT = Turn("What is rain?", "Water falls.")
OTHER = Turn("How do mountains form?", "Rock rises slowly, for a long time.")
LONG = Turn("What is rain? " * 20, "Water.")


def row(model: Model, turn: Turn) -> list[int]:
    return [*model.tokenizer.encode(str(turn)), model.tokenizer.end_id]


def test_earlier_turns_stand_in_front_as_in_training(make_model: Make) -> None:
    model = make_model(max_seq_len=80)
    reply = ask(model, "What is rain?", earlier=(OTHER, SHORT))
    question = model.tokenizer.encode(ask_text("What is rain?"))
    assert reply.prompt_ids == row(model, OTHER) + row(model, SHORT) + question
    assert reply.n_dropped == 0


@pytest.mark.parametrize("context", range(12, 90, 3))
def test_as_many_of_the_newest_as_fit(make_model: Make, context: int) -> None:
    model = make_model(max_seq_len=context)
    room = len(ask(model, "How " * 200).prompt_ids)
    turns = (SHORT, OTHER, OTHER, SHORT)
    reply = ask(model, "What is rain?", earlier=turns)
    alone = ask(model, "What is rain?").prompt_ids
    fitting = [
        ids
        for n in range(len(turns) + 1)
        if len(ids := [i for t in turns[len(turns) - n :] for i in row(model, t)] + alone) <= room
    ]
    assert reply.prompt_ids == fitting[-1]
    assert len(reply.prompt_ids) <= room
    assert reply.n_dropped == 0


def test_nothing_older_than_a_turn_that_does_not_fit(make_model: Make) -> None:
    model = make_model(max_seq_len=80)
    kept = ask(model, "How?", earlier=(OTHER, LONG, SHORT)).prompt_ids
    assert kept == ask(model, "How?", earlier=(SHORT,)).prompt_ids
    assert ask(model, "How?", earlier=(SHORT, LONG)).prompt_ids == ask(model, "How?").prompt_ids


def test_a_long_prompt_leaves_no_room_for_earlier_turns(model: Model) -> None:
    prompt = "How " * 200
    with_earlier = ask(model, prompt, earlier=(SHORT,))
    alone = ask(model, prompt)
    assert (with_earlier.prompt_ids, with_earlier.n_dropped) == (alone.prompt_ids, alone.n_dropped)


# The answer


@pytest.mark.parametrize("seed", range(4))
def test_the_text_grows_token_by_token(make_model: Make, seed: int) -> None:
    model = make_model(seed=seed, max_seq_len=32)
    reply = ask(model, "How?")
    assert (reply.ids, reply.text) == ([], "")
    before = ""
    n_tokens = 0
    for n_tokens, text in enumerate(reply, start=1):
        assert len(reply.ids) == n_tokens
        assert text == reply.text == model.tokenizer.decode(reply.ids)
        assert text.startswith(before)
        before = text
    assert n_tokens == len(reply.ids) > 3
    assert reply.text == before


def test_the_answer_ends_before_the_end_token(model: Model, favour: Favour) -> None:
    favour(model, model.tokenizer.end_id)
    reply = ask(model, "How?")
    assert list(reply) == []
    assert (reply.ids, reply.text, reply.finish()) == ([], "", "")


def test_finish_writes_to_the_end(model: Model) -> None:
    texts = list(ask(model, "How?"))
    assert texts
    assert ask(model, "How?").finish() == texts[-1]
    assert model.ask("How?") == texts[-1]


@pytest.mark.parametrize("n_read", [1, 2, 5])
def test_an_answer_goes_on_where_it_was_left(model: Model, n_read: int) -> None:
    whole = ask(model, "How?")
    whole.finish()
    assert len(whole.ids) > n_read
    reply = ask(model, "How?")
    for _ in reply:
        if len(reply.ids) == n_read:
            break
    assert reply.ids == whole.ids[:n_read]
    assert reply.finish() == whole.text
    assert reply.ids == whole.ids


def test_finishing_twice_changes_nothing(model: Model) -> None:
    reply = ask(model, "How?")
    text = reply.finish()
    assert reply.finish() == text
    assert len(reply.prompt_ids) + len(reply.ids) <= model.config.max_seq_len
