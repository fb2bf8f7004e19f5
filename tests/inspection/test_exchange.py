import pytest
from inspected import TEXTS, build

from tinychat.errors import UsageError
from tinychat.inspection import alternatives, exchange, exchange_of
from tinychat.model import Model
from tinychat.tokenizer import KINDS, train_tokenizer


def test_the_models_own_answer(learnt: Model) -> None:
    said = exchange(learnt, "Who eats?")
    assert said.prompt_tokens == ("User", ":", "Who", "eats", "?", "Assistant", ":")
    assert said.answer_tokens == ("The", "cat", "eats", ".", "</s>")
    assert learnt.tokenizer.decode(list(said.answer_ids)) == learnt.ask("Who eats?")
    assert said.read == said.prompt_ids + said.answer_ids[:-1]
    assert said.notes == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_given_answer_is_read_as_in_training(kind: str) -> None:
    tokenizer = train_tokenizer(kind, TEXTS, 300)
    model = build(tokenizer, max_seq_len=99)
    said = exchange(model, "What falls?", " Rain falls! ")
    whole = tokenizer.encode("User: What falls? Assistant: Rain falls!")
    assert list(said.prompt_ids + said.answer_ids) == [*whole, tokenizer.end_id]
    assert said.answer_tokens[-1] == "</s>"


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_writes_on_reads_no_marks(kind: str) -> None:
    tokenizer = train_tokenizer(kind, TEXTS, 300)
    said = exchange(build(tokenizer, max_turns=0, max_seq_len=99), "Rain", "falls slowly")
    assert list(said.prompt_ids + said.answer_ids) == [
        *tokenizer.encode("Rain falls slowly"),
        tokenizer.end_id,
    ]
    assert list(said.prompt_ids) == tokenizer.encode("Rain")


def test_an_answer_as_ids(model: Model) -> None:
    said = exchange(model, "What falls?", [9, 8])
    assert said.answer_ids == (9, 8)


def test_an_answer_that_fills_the_context_does_not_end() -> None:
    model = build()
    model.transformer.parameters.scope("output")["b_out"][model.tokenizer.end_id] = -1e4
    said = exchange(model, "What falls?")
    assert len(said.prompt_ids) + len(said.answer_ids) == model.config.max_seq_len
    assert "</s>" not in said.answer_tokens


def test_an_answer_that_ends_at_once_is_the_end() -> None:
    model = build()
    model.transformer.parameters.scope("output")["b_out"][model.tokenizer.end_id] = 1e4
    assert exchange(model, "What falls?").answer_tokens == ("</s>",)


def test_what_was_not_read_as_it_was_typed_is_told(model: Model) -> None:
    assert "Zebras" in exchange(model, "Zebras").notes[0]
    assert exchange(model, "Zebras fall", "Lions and zebras, lions and birds!").notes == (
        "new to this model, read as <unk>: Zebras, fall",
        "new to this model, read as <unk> in the answer: Lions, and, zebras, lions, birds",
    )
    assert exchange(model, "What falls?", "Rain falls.").notes == ()
    assert exchange(model, "What falls?", [9]).notes == ()


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("", None),
        (" ", "Rain."),
        ("What?", ""),
        ("What?", " \n"),
        ("What?", []),
        ("What?", [10_000]),
        ("What?", [-1]),
        ("What?", "rain " * 25),
        ("What?", [9] * 20),
    ],
)
def test_what_cannot_be_is_refused(model: Model, prompt: str, answer: str | list[int] | None) -> None:
    with pytest.raises(UsageError):
        exchange(model, prompt, answer)


def test_the_longest_answer_there_can_be(model: Model) -> None:
    room = model.config.max_seq_len + 1 - len(exchange(model, "What?", [9]).prompt_ids)
    assert len(exchange(model, "What?", [9] * room).answer_ids) == room
    with pytest.raises(UsageError, match="24"):
        exchange(model, "What?", [9] * (room + 1))


def test_a_reply_as_it_stands(model: Model) -> None:
    reply = model.reply("What falls?")
    with pytest.raises(UsageError, match="empty"):
        exchange_of(reply)
    next(iter(reply))
    begun = exchange_of(reply)
    assert begun.prompt_ids == tuple(reply.prompt_ids)
    assert begun.answer_ids == tuple(reply.ids)
    reply.finish()
    assert exchange_of(reply) == exchange(model, "What falls?")
    assert (
        alternatives(model, exchange_of(reply)).ids.tolist()
        == alternatives(model, "What falls?").ids.tolist()
    )
