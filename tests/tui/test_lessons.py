"""Teaching in the chat: what is learnt, taken back, kept and exported, and what is refused."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from typing import Any

import numpy as np
import pytest
from talk import answered, ask, chat_of, texts
from textual.pilot import Pilot
from textual.widgets import Input, Static
from tiny_app import CORPUS, ENDLESS, PRESET, chat_is_open, endless_run, until

from tinychat.corpus import Corpus, Turn, load_corpus
from tinychat.errors import CorpusError, StorageError
from tinychat.model import Model
from tinychat.training import practice, teaching
from tinychat.training.events import LessonChecked, LessonDone
from tinychat.training.run import TrainingRun
from tinychat.training.teaching import Lesson
from tinychat.tui import lessons
from tinychat.tui.app import TinychatApp
from tinychat.tui.screens.chat import ChatScreen
from tinychat.tui.screens.export import ExportDialog
from tinychat.tui.screens.teach import TeachDialog
from tinychat.tui.screens.training import TrainingScreen
from tinychat.tui.screens.word_map import WordMapScreen
from tinychat.tui.widgets.inside import Inside
from tinychat.tui.widgets.prompt import Prompt
from tinychat.weights import load, save
from tinychat.weights.saved_models import Library

QUESTION, ANSWER = "What is hail?", "Hail is ice."


@pytest.fixture(autouse=True)
def corpus_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "load_corpus", lambda source: CORPUS)


@pytest.fixture(scope="session")
def file_of_a_model(trained_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return save(trained_run.model, tmp_path_factory.mktemp("trained") / "weather.npz").read_bytes()


@pytest.fixture
def path(file_of_a_model: bytes, library: Library) -> Path:
    library.folder.mkdir(parents=True)
    place = library.folder / "weather.npz"
    place.write_bytes(file_of_a_model)
    return place


class ListeningApp(TinychatApp):
    """Keeps what it tells; a notification is soon gone."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.told: list[str] = []

    def notify(self, message: str, **options: Any) -> None:
        self.told.append(message)


@pytest.fixture
def app(path: Path, library: Library) -> ListeningApp:
    return ListeningApp(library, model=load(path), path=path)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Flag:
    """Until it is set, lessons go on and on."""
    door, run = Flag(), Lesson.run

    def slow(lesson: Lesson) -> Iterator[LessonChecked | LessonDone]:
        while not door.wait(0.1):
            yield LessonChecked(4, 1.0, 3, 16, 0, 3)
        yield from run(lesson)

    monkeypatch.setattr(Lesson, "run", slow)
    return door


def notes(app: ListeningApp) -> str:
    return "\n".join(texts(app, "note"))


def told(app: ListeningApp) -> str:
    return "\n".join(app.told)


async def begin(pilot: Pilot[None], answer: str = ANSWER) -> None:
    """Ask, and teach; what is asked again is not waited for."""
    await ask(pilot, QUESTION)
    await pilot.press("ctrl+n")
    await until(pilot, lambda: isinstance(pilot.app.screen, TeachDialog))
    pilot.app.screen.query_one(Input).value = answer
    await pilot.press("enter")
    await until(pilot, lambda: chat_is_open(pilot.app))


async def teach(pilot: Pilot[None], answer: str = ANSWER) -> None:
    await begin(pilot, answer)
    await until(pilot, lambda: len(texts(pilot.app, "question")) == 2)
    await answered(pilot)


async def test_it_learns_asks_again_keeps_it_and_takes_it_back(app: ListeningApp, path: Path) -> None:
    before = load(path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, QUESTION)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(app.screen, TeachDialog))
        wrong = before.ask(QUESTION)
        assert [str(app.screen.query_one(f".{part}", Static).content) for part in ("question", "answer")] == [
            QUESTION,
            wrong,
        ]
        await pilot.press("escape", "ctrl+l")
        await teach(pilot)
        assert texts(app, "question") == [QUESTION, QUESTION]
        assert texts(app, "answer") == [wrong, ANSWER]
        assert "3 of 3 former questions" in notes(app)
        assert "with 3 new words" in notes(app)
        assert "learning" not in notes(app)
        assert [turn.assistant for turn in chat_of(app).conversation.session.turns] == [ANSWER]
        kept = load(path)
        assert kept.card.taught == [Turn(QUESTION, ANSWER)]
        assert [kept.ask(dialogue[0].user) for dialogue in CORPUS.dialogues] == [
            dialogue[0].assistant for dialogue in CORPUS.dialogues
        ]

        await pilot.press("ctrl+z")
        await until(pilot, lambda: notes(app).count("saved in weather.npz") == 2)
        assert f"no longer taught: {QUESTION}" in notes(app)
        for model in (load(path), chat_of(app).model):
            assert model.card.taught == []
            np.testing.assert_array_equal(
                model.transformer.parameters.values, before.transformer.parameters.values
            )
        # What the longer model wrote can still be looked into.
        await pilot.press("f4")
        inside = app.screen.query_one(Inside)
        await until(pilot, lambda: inside.insight is not None)
        assert inside.insight is not None
        assert "Hail" in inside.insight.tokens


async def test_the_commands_that_are_typed(app: ListeningApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await type_in(pilot, "/undo")
        assert "Nothing was taught" in told(app)
        await type_in(pilot, "/teach it")
        assert "Nothing was asked yet" in told(app)
        await ask(pilot, QUESTION)
        await type_in(pilot, f"/teach  {ANSWER} ")
        await until(pilot, lambda: isinstance(app.screen, TeachDialog))
        assert app.screen.query_one(Input).value == ANSWER
        await pilot.press("enter")
        await until(pilot, lambda: len(texts(app, "question")) == 2)
        await answered(pilot)
        assert texts(app, "answer")[-1] == ANSWER
        await type_in(pilot, "/undo")
        await until(pilot, lambda: "no longer taught" in notes(app))
        await type_in(pilot, "/quit now")
        assert "Only /teach and /undo" in told(app)
        assert app.screen.query_one(Prompt).value == "/quit now"
        await ask(pilot, "//teach")
        assert texts(app, "question")[-1] == "/teach"


async def type_in(pilot: Pilot[None], line: str) -> None:
    pilot.app.screen.query_one(Prompt).value = line
    await pilot.press("enter")
    await pilot.pause()


async def test_an_answer_that_has_ended_is_corrected_by_another(app: ListeningApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        chat_of(app).conversation.pace_s = 1
        await type_in(pilot, "[b]Hello![/b]")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "It is still answering" in told(app))
        await pilot.press("escape")
        await answered(pilot)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(app.screen, TeachDialog))
        said = str(app.screen.query_one(".answer", Static).content)
        for answer, complaint in (("  ", "Type what"), (said, "is what it said")):
            app.screen.query_one(Input).value = answer
            await pilot.press("enter")
            assert complaint in str(app.screen.query_one("#message", Static).content)
        assert isinstance(app.screen, TeachDialog)


async def test_one_talks_on_while_it_learns(app: ListeningApp, door: Flag) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await begin(pilot)
        await until(pilot, lambda: "learning … right: 3 of 16 wordings" in notes(app))
        await ask(pilot, "Hello!")
        assert texts(app, "answer")[-1] == "Hello! Ask me about rain."
        for keys, reason in ((["ctrl+n"], "one lesson at a time"), (["ctrl+e", "escape"], "")):
            await pilot.press(*keys)
            assert reason in told(app)
        await type_in(pilot, "/undo")
        assert "It is still learning; take it back" in told(app)
        await pilot.press("ctrl+e")
        door.set()
        await until(pilot, lambda: "saved in weather.npz" in notes(app))
        assert len(texts(app, "question")) == 2  # not in the middle of an edit
        await pilot.press("escape")
        await until(pilot, lambda: len(texts(app, "question")) == 3)
        await answered(pilot)
        assert texts(app, "question") == [QUESTION, "Hello!", QUESTION]
        assert texts(app, "answer")[-1] == ANSWER


async def test_an_answer_that_is_written_meanwhile_ends_as_it_began(app: ListeningApp, door: Flag) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await begin(pilot)
        talk = chat_of(app).conversation
        talk.pace_s = 2
        await type_in(pilot, "What is rain?")
        await until(pilot, lambda: texts(app, "answer")[-1].startswith("Rain"))
        old = talk.session.model.transformer
        door.set()
        await until(pilot, lambda: talk.session.model.transformer is not old)
        assert talk.is_answering
        talk.pace_s = 0
        await until(pilot, lambda: len(texts(app, "question")) == 3)
        assert texts(app, "answer")[1] == "Rain is water that falls from clouds."


async def test_quitting_while_it_learns_loses_the_lesson_alone(
    app: ListeningApp, path: Path, door: Flag, file_of_a_model: bytes
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await begin(pilot)
        await until(pilot, lambda: "learning …" in notes(app))
        model = chat_of(app).model
        await pilot.press("ctrl+q")
    door.set()
    assert app.return_code == 0
    assert path.read_bytes() == file_of_a_model
    assert model.card.taught == []


async def test_a_training_of_the_model_ends_the_lesson(app: ListeningApp, door: Flag) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await begin(pilot)
        await until(pilot, lambda: "learning …" in notes(app))
        model, transformer = chat_of(app).model, chat_of(app).model.transformer
        await pilot.press("ctrl+t")
        await until(pilot, lambda: len(app.screen.query("#epochs")) == 1)
        app.screen.query_one("#epochs", Input).value = str(ENDLESS)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        door.set()
        await pilot.pause(0.3)
        assert model.transformer is transformer
        assert app.job is not None
        assert app.job.model.transformer is transformer


async def test_another_model_is_loaded_while_it_learns(app: ListeningApp, path: Path, door: Flag) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await begin(pilot)
        await until(pilot, lambda: "learning …" in notes(app))
        first = chat_of(app)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: not isinstance(app.screen, ChatScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and app.screen is not first)
        door.set()
        await pilot.pause(0.3)
        assert first.model.card.taught == load(path).card.taught == []


async def test_what_is_not_learnt_is_told(app: ListeningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        model = chat_of(app).model
        transformer = model.transformer
        await begin(pilot, "ice " * 40)
        await until(pilot, lambda: "not learnt: question and answer take" in notes(app))
        monkeypatch.setattr(practice, "ROUNDS_OF_ALL", 1)
        monkeypatch.setattr(practice, "LEARN", 0)
        monkeypatch.setattr(practice, "SETTLE", 4)
        await begin(pilot)
        await until(pilot, lambda: "not learnt: after 4 updates" in notes(app))
        monkeypatch.setattr(Lesson, "run", lambda lesson: iter(no_room()))
        await begin(pilot)
        await until(pilot, lambda: "there is not enough memory" in notes(app))
        assert "learning" not in notes(app)
        assert (model.transformer, model.card.taught) == (transformer, [])
        assert app.screen.check_action("untaught", ()) is False


def no_room() -> Iterator[LessonChecked]:
    raise MemoryError
    yield


async def test_without_its_corpus_it_warns(app: ListeningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(source: str) -> Corpus:
        raise CorpusError("gone")

    monkeypatch.setattr(teaching, "load_corpus", gone)
    async with app.run_test(size=(80, 24)) as pilot:
        await teach(pilot)
        assert "more may be forgotten" in notes(app)


async def test_a_model_in_no_file_and_a_file_that_cannot_be_written(
    app: ListeningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(model: Model, path: Path) -> Path:
        raise StorageError("no room left")

    monkeypatch.setattr(lessons, "save", full)
    async with app.run_test(size=(80, 24)) as pilot:
        await teach(pilot)
        assert "not saved: no room left; Ctrl+Z" in notes(app)
        chat_of(app).show_path(Path("nowhere.npz"))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "in no file yet, Ctrl+S saves it" in notes(app))
        assert not Path("nowhere.npz").exists()


async def test_what_was_taught_is_exported_as_a_corpus(app: ListeningApp, tmp_path: Path) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        assert "Export what was taught" not in commands(app)
        await teach(pilot)
        commands(app)["Export what was taught"]()
        await until(pilot, lambda: isinstance(app.screen, ExportDialog))
        app.screen.query_one(Input).value = str(tmp_path / "facts.txt")
        await pilot.press("enter")
        assert "would not be read as dialogues" in str(app.screen.query_one("#message", Static).content)
        app.screen.query_one(Input).value = str(tmp_path / "chat.txt")
        await pilot.press("enter")
        await until(pilot, lambda: chat_is_open(app))
    assert load_corpus(str(tmp_path / "chat.txt")).dialogues == ((Turn(QUESTION, ANSWER),),)


def commands(app: ListeningApp) -> dict[str, Callable[[], object]]:
    return {command.title: command.callback for command in app.get_system_commands(app.screen)}


async def test_the_copy_of_a_training_is_not_taught(library: Library) -> None:
    run = endless_run()
    app = ListeningApp(library, run=run)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: run.optimizer.updates > 2)
        await pilot.press("t")
        await until(pilot, lambda: chat_is_open(app))
        await ask(pilot, QUESTION)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "This is a copy" in told(app))
        assert isinstance(app.screen, ChatScreen)


async def test_a_model_without_dialogues_is_not_taught(library: Library) -> None:
    run = TrainingRun.start(replace(CORPUS, dialogues=()), PRESET, 0)
    app = ListeningApp(library, model=run.model, path=Path("facts.npz"))
    async with app.run_test(size=(80, 24)) as pilot:
        await ask(pilot, "Rain")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "has read plain text only" in told(app))


async def test_a_map_that_is_open_keeps_its_words(app: ListeningApp, door: Flag) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await begin(pilot)
        await until(pilot, lambda: "learning …" in notes(app))
        talk = chat_of(app)
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, WordMapScreen))
        door.set()
        await until(pilot, lambda: talk.lessons.can_take_back)
        await pilot.press(*"hail", "enter")
        near = app.screen.query_one("#near", Static)
        await until(pilot, lambda: "the word 'hail'" in str(near.content))
