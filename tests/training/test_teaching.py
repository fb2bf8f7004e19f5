"""A lesson: learnt by a copy, put in, taken back to the bit; and what cannot be taught."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import CORPUS, overfitting_preset, start, state, trained

from tinychat.corpus import Corpus, Turn
from tinychat.errors import LessonError, UsageError
from tinychat.generation.session import ChatSession
from tinychat.model import Model
from tinychat.tokenizer import WordTokenizer
from tinychat.training import practice, teaching
from tinychat.training.by_length import exact
from tinychat.training.events import LessonChecked, LessonDone
from tinychat.training.rows import dialogue_row
from tinychat.training.teaching import Lesson
from tinychat.weights import load

QUESTION, ANSWER = "Who barks?", "Dogs bark."


@cache
def saved(folder: Path) -> Path:
    shape = {"n_layers": 1, "d_model": 64, "d_ff": 64, "head_dim": 64, "max_seq_len": 40}
    preset = replace(overfitting_preset(), model=shape)
    return trained(CORPUS, preset.changed({"lr": 0.003})).save(folder / "model.npz")


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """One that learnt the tiny corpus, its own in every test."""
    return load(saved(tmp_path_factory.getbasetemp()))


def former(model: Model) -> list[str]:
    return [model.ask(dialogue[0].user) for dialogue in CORPUS.dialogues]


def test_what_was_taught_is_answered_and_the_rest_as_before(model: Model) -> None:
    before = former(model)
    assert before == [dialogue[0].assistant for dialogue in CORPUS.dialogues]
    model.teach(QUESTION, ANSWER, CORPUS)
    assert model.ask(QUESTION) == ANSWER
    assert former(model) == before
    assert model.card.taught == [Turn(QUESTION, ANSWER)]


def test_until_it_is_put_in_the_model_stays_as_it_is(model: Model) -> None:
    before, transformer = state(model), model.transformer
    lesson = Lesson(model, QUESTION, ANSWER, CORPUS)
    events = list(lesson.run())
    assert state(model) == before
    assert model.transformer is transformer
    assert model.ask(QUESTION) != ANSWER
    *checks, done = events
    assert checks
    assert all(isinstance(check, LessonChecked) for check in checks)
    assert isinstance(done, LessonDone)
    assert (done.question, done.answer, done.former) == (QUESTION, ANSWER, 3)
    assert done.kept == 3
    assert done.updates == checks[-1].update
    assert not done.is_from_itself


def test_undo_is_to_the_bit(model: Model) -> None:
    before, config, words = state(model), model.config, model.tokenizer.to_dict()
    lesson = model.teach(QUESTION, ANSWER, CORPUS)
    assert state(model) != before
    lesson.take_back()
    assert (state(model), model.config, model.tokenizer.to_dict()) == (before, config, words)
    assert model.card.taught == []


def test_lessons_are_taken_back_in_turn(model: Model) -> None:
    first = model.teach(QUESTION, ANSWER, CORPUS)
    between = state(model)
    second = model.teach("Who meows?", "Cats meow.", CORPUS)
    assert (model.ask(QUESTION), model.ask("Who meows?")) == (ANSWER, "Cats meow.")
    with pytest.raises(UsageError, match="not the last"):
        first.take_back()
    second.take_back()
    assert state(model) == between
    first.take_back()
    with pytest.raises(UsageError, match="not the last"):
        first.take_back()


def test_a_reply_under_way_goes_on_with_the_weights_that_it_began_with(model: Model) -> None:
    question, answer = "What melts the snow?", "The sun melts it."
    reply = model.reply(question)
    texts = iter(reply)
    next(texts)
    model.teach(question, ANSWER, CORPUS)
    assert reply.finish() == answer
    assert model.ask(question) == ANSWER


def test_the_same_lesson_gives_the_same_bits(model: Model) -> None:
    lesson = model.teach(QUESTION, ANSWER, CORPUS)
    first = state(model)
    lesson.take_back()
    model.teach(QUESTION, ANSWER, CORPUS)
    assert state(model) == first


def test_new_words_are_added_behind_the_old_ones(model: Model) -> None:
    old = model.tokenizer.to_dict()["words"]
    *_, done = Lesson(model, QUESTION, ANSWER, CORPUS).run()
    assert isinstance(done, LessonDone)
    assert done.new_words == 3
    model.teach(QUESTION, ANSWER, CORPUS)
    assert model.tokenizer.to_dict()["words"] == [*old, "barks", "Dogs", "bark"]
    assert model.config.vocab_size == model.tokenizer.vocab_size


def test_a_question_that_the_corpus_answers_otherwise_is_corrected(model: Model) -> None:
    question = CORPUS.dialogues[0][0].user
    model.teach(question, "Snow falls.", CORPUS)
    assert model.ask(question) == "Snow falls."
    model.teach(question.lower(), "Birds sing.", CORPUS)
    assert model.ask(question.lower()) == "Birds sing."
    assert model.card.taught == [Turn(question.lower(), "Birds sing.")]


def test_it_is_answered_behind_another_question_too(model: Model) -> None:
    model.teach(QUESTION, ANSWER, CORPUS)
    session = ChatSession(model)
    for question in ("Who sings?", QUESTION):
        reply = session.ask(question)
        text = reply.finish()
        session.remember(reply)
    assert text == ANSWER


def test_it_is_kept_in_the_file(model: Model, tmp_path: Path) -> None:
    model.teach(QUESTION, ANSWER, CORPUS)
    again = load(model.save(tmp_path / "taught.npz"))
    assert state(again) == state(model)
    assert again.card.taught == [Turn(QUESTION, ANSWER)]
    assert again.ask(QUESTION) == ANSWER


def test_without_its_corpus_it_learns_from_its_own_answers(model: Model) -> None:
    model.card.corpus_source = "/nowhere/at/all"
    assert model.card.rehearsal == [[turn.user for turn in dialogue] for dialogue in CORPUS.dialogues]
    assert teaching.answered_by_itself(model) == list(CORPUS.dialogues)
    before = [model.ask(example) for example in model.card.examples]
    lesson = Lesson(model, QUESTION, ANSWER)
    *_, done = lesson.run()
    assert isinstance(done, LessonDone)
    assert done.is_from_itself
    lesson.put_in()
    assert model.ask(QUESTION) == ANSWER
    assert [model.ask(example) for example in model.card.examples] == before


def test_an_old_file_has_its_examples_alone(model: Model) -> None:
    model.card.rehearsal = []
    questions = [dialogue[0].user for dialogue in teaching.answered_by_itself(model)]
    assert questions == list(dict.fromkeys([*model.card.examples, *model.card.sample_prompts.values()]))
    assert CORPUS.dialogues[0][0].user in questions


def test_a_corpus_that_was_changed_is_not_its_own(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text("User: Who?\nAssistant: Nobody.\n", encoding="utf-8")
    model.card.corpus_source = str(path)
    assert teaching.corpus_of(model) is None


@pytest.mark.parametrize(
    ("question", "answer", "words"),
    [
        (" ", ANSWER, "empty"),
        (QUESTION, "\n", "empty"),
        (QUESTION, "far " * 60, "make them shorter"),
        ("far " * 60, ANSWER, "make them shorter"),
    ],
)
def test_what_cannot_be_taught(model: Model, question: str, answer: str, words: str) -> None:
    before = state(model)
    with pytest.raises(UsageError, match=words):
        Lesson(model, question, answer, CORPUS)
    assert state(model) == before


def test_a_model_that_only_read_cannot_be_taught() -> None:
    run = start(Corpus("facts", CORPUS.facts, source="facts"))
    with pytest.raises(UsageError, match="plain text only"):
        Lesson(run.model, QUESTION, ANSWER, CORPUS)


def test_what_is_not_learnt_is_told_and_changes_nothing(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practice, "RECIPE", replace(practice.RECIPE, lr=1e-9))
    before = state(model)
    with pytest.raises(LessonError, match="not learnt"):
        model.teach(QUESTION, ANSWER, CORPUS)
    assert state(model) == before
    assert model.card.taught == []


def test_what_would_forget_too_much_is_told(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "LEAST_KEPT", 1.1)  # more than there is
    with pytest.raises(LessonError, match="former answers were right"):
        model.teach(QUESTION, ANSWER, CORPUS)


def test_exact_is_what_greedy_decoding_says(model: Model) -> None:
    right = [dialogue[:1] for dialogue in CORPUS.dialogues]
    wrong = [(Turn(dialogue[0].user, "Birds rain."),) for dialogue in CORPUS.dialogues]
    rows = [dialogue_row(dialogue, model.tokenizer, mask_prompt=True) for dialogue in (*right, *wrong)]
    asked = [model.ask(dialogue[0].user) == dialogue[0].assistant for dialogue in (*right, *wrong)]
    assert exact(model.transformer, rows) == asked == [True] * 3 + [False] * 3
    assert exact(model.transformer, []) == []


def test_float32_stays(model: Model) -> None:
    model.teach(QUESTION, ANSWER, CORPUS)
    assert model.transformer.parameters.values.dtype == np.float32
    assert isinstance(model.tokenizer, WordTokenizer)
