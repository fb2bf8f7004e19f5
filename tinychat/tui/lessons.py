"""Teaching in a conversation: one lesson at a time is learnt behind it, and the last can be taken back."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from textual.worker import Worker

from tinychat.errors import TinychatError, UsageError
from tinychat.model import Model
from tinychat.training.events import LessonChecked, LessonDone
from tinychat.training.teaching import Lesson
from tinychat.tui.widgets.conversation import Conversation
from tinychat.weights import save
from tinychat.wording import counted

_GROUP = "lessons"
"""Of workers."""
_LOOK_UP_S = 0.01
"""How often one who waits for a lesson looks whether it is over."""


class Lessons:
    """What the model of a conversation was taught in it.

    A copy learns in a thread, and the thread of the screen alone puts it in the model's place: a lesson may
    be given up at any time; the program's end waits for its preparations, and then for its next check.
    """

    def __init__(self, talk: Conversation, kept_in: Callable[[], Path]) -> None:
        """`kept_in` tells the model's file, which is written anew after a lesson if it is there."""
        self._talk, self._kept_in = talk, kept_in
        self._given: list[Lesson] = []
        self._worker: Worker[None] | None = None
        self._is_saving = False

    @property
    def is_under_way(self) -> bool:
        return self._worker is not None and not self._worker.is_finished

    @property
    def can_take_back(self) -> bool:
        return bool(self._given)

    def question(self) -> str:
        """What can be taught now. Raise UsageError if nothing can, and say why."""
        talk = self._talk
        if not talk.session.model.card.is_chat:
            raise UsageError(
                "This model has read plain text only; train it on dialogues to teach it answers."
            )
        if talk.session.last is None:
            raise UsageError("Nothing was asked yet; ask the question first.")
        if talk.is_answering:
            raise UsageError("It is still answering; Escape stops it.")
        if self.is_under_way:
            raise UsageError("It is still learning; one lesson at a time.")
        return talk.session.last.prompt

    def teach(self, question: str, answer: str) -> None:
        """Begin a lesson; what comes of it is told in the conversation, and the question asked again.

        Raise UsageError if one is under way.
        """
        if self.is_under_way:
            raise UsageError("It is still learning; one lesson at a time.")
        self._begin(self._learn(self._talk.session.model, question, answer))

    def take_back(self) -> None:
        """Give the model what it had before the last lesson. Raise UsageError if that cannot be."""
        if self.is_under_way:
            raise UsageError("It is still learning; take it back when that is done.")
        if not self._given:
            raise UsageError("Nothing was taught in this conversation; Ctrl+N does that.")
        self._begin(self._unlearn())

    async def give_up(self) -> None:
        """End the lesson under way; one that was put in already is kept first."""
        while self._is_saving:
            await asyncio.sleep(_LOOK_UP_S)
        self._talk.workers.cancel_group(self._talk, _GROUP)
        while self.is_under_way:
            await asyncio.sleep(_LOOK_UP_S)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._worker = self._talk.run_worker(work, group=_GROUP)

    async def _learn(self, model: Model, question: str, answer: str) -> None:
        say = self._talk.transcript.say
        note = say("learning …")
        try:
            lesson = await asyncio.to_thread(Lesson, model, question, answer)
            events = lesson.run()
            while not isinstance(event := await asyncio.to_thread(next, events), LessonDone):
                note.update(_progress(event))
        except TinychatError as error:
            say(str(error) if str(error).startswith("not learnt") else f"not learnt: {error}")
            return
        except MemoryError:
            say("not learnt: there is not enough memory")
            return
        finally:
            note.remove()
        lesson.put_in()
        self._given.append(lesson)
        for line in event.notes:
            say(line)
        say(f"{await self._keep(model)}; Ctrl+Z takes it back")
        self._talk.run_worker(self._talk.ask_again(question), group=_GROUP)

    async def _unlearn(self) -> None:
        lesson = self._given.pop()
        lesson.take_back()
        self._talk.post_message(self._talk.Changed())
        self._talk.transcript.say(f"no longer taught: {lesson.turn.user}")
        self._talk.transcript.say(await self._keep(lesson.model))

    async def _keep(self, model: Model) -> str:
        """Write the model to its file. Nothing changes it meanwhile: that would be another lesson."""
        path = self._kept_in()
        if not path.is_file():
            return "it is in no file yet, Ctrl+S saves it"
        self._is_saving = True
        try:
            await asyncio.to_thread(save, model, path)
        except TinychatError as error:
            return f"not saved: {error}"
        finally:
            self._is_saving = False
        return f"saved in {path.name}"


def _progress(check: LessonChecked) -> str:
    kept = f", {check.kept} of {counted(check.former, 'former question')}" if check.kept else ""
    return f"learning … right: {check.right} of {counted(check.wordings, 'wording')}{kept}"
