"""Counting what a model knows, on a model that has learnt three sentences by heart."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from tiny_runs import CORPUS, DIALOGUES, FACTS, overfitting_preset, start, trained

from tinychat.corpus import Corpus, Dialogue, Turn
from tinychat.errors import TinychatError
from tinychat.model import Model
from tinychat.training.evaluate import answered_exactly, evaluate
from tinychat.training.rows import dialogue_row, fact_row


@cache
def by_heart() -> Model:
    return trained(preset=overfitting_preset())


def test_all_dialogues_are_known() -> None:
    found = evaluate(by_heart(), CORPUS)
    assert (found.exact, found.dialogues, found.n_cut) == (3, 3, 0)


def changed(index: int, turn: int, **parts: str) -> Corpus:
    dialogue = list(DIALOGUES[index])
    dialogue[turn] = replace(dialogue[turn], **parts)
    dialogues = list(DIALOGUES)
    dialogues[index] = tuple(dialogue)
    return replace(CORPUS, dialogues=tuple(dialogues))


@pytest.mark.parametrize(
    "corpus",
    [
        pytest.param(changed(0, 0, assistant="Rain melts."), id="another word"),
        pytest.param(changed(0, 0, assistant="Rain"), id="the answer goes on"),
        pytest.param(changed(0, 0, assistant="Rain falls. Rain falls."), id="the answer ends too early"),
        pytest.param(changed(0, 0, assistant="rain falls."), id="a capital letter"),
        pytest.param(changed(0, 0, assistant="Rain  falls."), id="a space too many"),
        pytest.param(changed(0, 0, assistant="Hail falls."), id="a word that the model cannot write"),
        pytest.param(changed(2, 0, assistant="Clouds sing."), id="the first of two answers"),
        pytest.param(changed(2, 1, assistant="When the sun sings."), id="the second of two answers"),
    ],
)
def test_one_answer_that_differs_is_one_less(corpus: Corpus) -> None:
    found = evaluate(by_heart(), corpus)
    assert (found.exact, found.dialogues) == (2, 3)


def test_the_turns_before_are_those_of_the_corpus() -> None:
    """`When?` alone means nothing; behind its question it has an answer."""
    model = by_heart()
    assert answered_exactly(model, DIALOGUES) == [True, True, True]
    with_other_beginning = (DIALOGUES[0][0], DIALOGUES[2][1])
    alone: Dialogue = (DIALOGUES[2][1],)
    found = answered_exactly(model, (alone, with_other_beginning, DIALOGUES[2]))
    assert not all(found[:2])
    assert found[2]


def test_a_question_twice_with_two_answers_is_known_once() -> None:
    twice = replace(CORPUS, dialogues=(DIALOGUES[0], (replace(DIALOGUES[0][0], assistant="Snow falls."),)))
    assert evaluate(by_heart(), twice).exact == 1


def test_a_model_that_knows_nothing() -> None:
    found = evaluate(start().model, CORPUS)
    assert found.exact == 0
    assert found.dialogues == 3


def log_softmax(logits: np.ndarray) -> np.ndarray:
    exact = logits.astype(np.float64)
    return exact - np.log(np.exp(exact).sum(-1, keepdims=True))


@pytest.mark.parametrize("model_of", [lambda: start().model, by_heart], ids=["untrained", "trained"])
def test_loss_and_accuracy_by_hand(model_of) -> None:  # type: ignore[no-untyped-def]
    model = model_of()
    total, hits, n = 0.0, 0, 0
    rows = [fact_row(fact, model.tokenizer).tokens for fact in FACTS]
    rows += [dialogue_row(dialogue, model.tokenizer).tokens for dialogue in DIALOGUES]
    for row in rows:
        log_p = log_softmax(model.transformer.forward(np.array([row[:-1]]))[0])
        for place, target in enumerate(row[1:]):
            total -= log_p[place, target]
            hits += int(log_p[place].argmax() == target)
            n += 1
    found = evaluate(model, CORPUS)
    assert found.loss == pytest.approx(total / n, rel=1e-5)
    assert found.perplexity == pytest.approx(math.exp(found.loss), rel=1e-12)
    assert found.accuracy == hits / n


def test_measuring_changes_nothing_in_the_model() -> None:
    model = by_heart()
    parameters = model.transformer.parameters
    before = (parameters.values.tobytes(), parameters.grads.tobytes())
    assert evaluate(model, CORPUS) == evaluate(model, CORPUS)
    assert (parameters.values.tobytes(), parameters.grads.tobytes()) == before


def test_rows_longer_than_the_context_are_counted() -> None:
    long = (Turn("What falls?", " ".join(["Rain"] * 40)),)
    found = evaluate(by_heart(), replace(CORPUS, dialogues=(*DIALOGUES, long)))
    assert (found.exact, found.dialogues, found.n_cut) == (3, 4, 1)


def test_a_corpus_of_facts_has_no_dialogues_to_answer() -> None:
    found = evaluate(by_heart(), replace(CORPUS, dialogues=()))
    assert (found.exact, found.dialogues) == (0, 0)
    assert found.loss > 0


def test_a_corpus_with_nothing_to_measure() -> None:
    with pytest.raises(TinychatError):
        evaluate(by_heart(), Corpus("empty"))
