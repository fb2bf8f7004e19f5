"""What was taught takes its place among the dialogues, and training that goes on rehearses it."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tiny_runs import CORPUS, overfitting_preset, start, trained

from tinychat.corpus import Dialogue, Turn
from tinychat.training.rewordings import Rewordings
from tinychat.training.run import TrainingRun
from tinychat.training.taught import contradicted, with_taught

NO = "I don't know that yet."


def one(user: str, assistant: str) -> Dialogue:
    return (Turn(user, assistant),)


NOUNS = ("rain", "snow", "wind", "fog")
KNOWN = [one(f"What is the {noun} like today?", f"{noun} is weather.") for noun in NOUNS]


def gone(question: str, dialogues: list[Dialogue]) -> list[Dialogue]:
    return contradicted(Turn(question, "New."), dialogues, [NO], Rewordings(question, dialogues))


def test_other_wordings_of_a_wrong_answer_are_wrong_too() -> None:
    reworded, other = (
        one("Tell me what rain is.", "rain is weather."),
        one("What is ice?", "rain is weather."),
    )
    assert gone("what is the rain like today", [*KNOWN, reworded, other]) == [KNOWN[0], reworded]


@pytest.mark.parametrize(
    ("declined", "is_wrong"),
    [
        ("How far away is the moon?", True),
        ("how far is the moon?!", True),
        ("How far away is the planet Mars?", False),
        ("Why does the moon shine so far at night?", False),
    ],
)
def test_a_dont_know_to_nearly_the_same_question_is_wrong(declined: str, is_wrong: bool) -> None:
    dialogue = one(declined, NO)
    assert gone("How far is the moon?", [*KNOWN, dialogue]) == [dialogue] * is_wrong


def test_an_answer_to_nearly_the_same_question_stays() -> None:
    assert gone("How far is the moon?", [*KNOWN, one("How far away is the moon?", "Far.")]) == []


def test_it_gets_as_many_wordings_as_an_answer_has() -> None:
    dialogues = [one(f"What is {noun}, number {n}?", f"{noun}.") for noun in NOUNS for n in range(6)]
    old, new = Turn("Who barks?", "Dogs."), Turn("What is rain, number 3?", "Water.")
    found = with_taught(dialogues, [old, new], [], np.random.default_rng(0))
    answers = Counter(dialogue[0].assistant for dialogue in found)
    assert answers["Dogs."] == answers["Water."] == 6
    assert answers["snow."] == 6
    assert answers["rain."] == 0
    assert {(old,), (new,)} <= set(found)
    assert len({d[0].user for d in found if d[0].assistant == "Dogs."}) > 3
    assert with_taught([], [old], [], np.random.default_rng(0)) == [(old,)]


def test_training_that_goes_on_rehearses_it() -> None:
    preset = overfitting_preset()
    preset = replace(preset, model={**preset.model, "d_model": 64, "d_ff": 64, "head_dim": 64})
    model = trained(CORPUS, preset.changed({"lr": 0.003, "ema_decay": 0.9}))
    old = CORPUS.dialogues[0][0].user
    model.teach("Who barks?", "Dogs bark.", CORPUS)
    model.teach(old, "Snow falls.", CORPUS)
    run = TrainingRun(model, CORPUS)
    run.extend(30)
    for _ in run.run():
        pass
    assert model.ask("Who barks?") == "Dogs bark."
    assert model.ask(old) == "Snow falls."
    for dialogue in CORPUS.dialogues[1:]:
        assert model.ask(dialogue[0].user) == dialogue[0].assistant


def test_without_lessons_it_goes_on_as_ever() -> None:
    run = start()
    rows = run._sources["tune"].clean
    assert len(rows) == len(CORPUS.dialogues)
    run.model.card.taught.append(Turn("Who barks?", "Dogs bark."))
    assert len(TrainingRun(run.model, CORPUS)._sources["tune"].clean) == len(rows) + 1
