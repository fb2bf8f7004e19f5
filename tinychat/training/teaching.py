"""Teaching: a model learns one more answer in a moment, and keeps those it had.

The question is learnt in many wordings, among a rehearsal of former dialogues, until wordings that are
only asked are answered rightly, or for a few rounds (see `practice`). It is given up if the question itself
is not answered rightly then, or too many former ones are not.
"""

from collections.abc import Iterator
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from tinychat.corpus import Corpus, Dialogue, Turn, load_corpus
from tinychat.corpus.dialogue import ask_text
from tinychat.errors import CorpusError, LessonError, UsageError
from tinychat.generation.answers import answers
from tinychat.generation.reply import reply_to
from tinychat.model import Model
from tinychat.training.by_length import exact
from tinychat.training.events import LessonChecked, LessonDone
from tinychat.training.growing import grown
from tinychat.training.practice import UNSOUND, Practice
from tinychat.training.replay import N_NEAREST, to_rehearse
from tinychat.training.rewordings import Rewordings, plain
from tinychat.training.rows import Row, dialogue_row
from tinychat.training.taught import contradicted
from tinychat.wording import counted

N_DRAWN, N_ASKED = 160, 16
"""Wordings of the new question that are learnt in turn, and others that are only asked in the checks."""
POOL = 500
"""Former dialogues that are rehearsed in turn."""
N_OF_TAUGHT = 8
"""Wordings of every question that was taught before, among them."""
LEAST_KEPT = 0.85
"""Share of the former questions, most of them like the new one or nearly answered otherwise before, that must
still be answered rightly."""
BEHIND = 0.3
"""Share of the wordings that follow upon another dialogue, in a model that knows such ones."""


class Lesson:
    """One question and its answer, learnt by a copy while the model may be talked to, then put in its place.

    `model` is changed by `put_in` and `take_back` alone, which are for the thread that talks with it, and not
    in its arrays: a reply that is being written goes on with the weights that it began with.
    """

    def __init__(self, model: Model, question: str, answer: str, corpus: Corpus | None = None) -> None:
        """`corpus` is what the model was trained on; without it, it is read from where it was.

        Raise UsageError for what cannot be taught.
        """
        self._begun = perf_counter()
        self.model, self.turn = model, Turn(" ".join(question.split()), " ".join(answer.split()))
        if not model.card.is_chat:
            raise UsageError("this model has read plain text only; train it on dialogues to teach it answers")
        if not self.turn.user or not self.turn.assistant:
            raise UsageError("the question or the answer is empty; give both")
        corpus = corpus or corpus_of(model)
        self.is_from_itself = corpus is None
        former = answered_by_itself(model) if corpus is None else corpus.dialogues
        declines = () if corpus is None else corpus.declines
        self._rewordings = Rewordings(self.turn.user, former)
        taught = [turn for turn in model.card.taught if plain(turn.user) != plain(self.turn.user)]
        gone = dict.fromkeys(contradicted(self.turn, former, declines, self._rewordings))
        # What has all of its words may well be answered by it, and would pull the other way.
        rest = [d for d in former if d not in gone and not self._rewordings.is_all_in(d[0].user)]
        self._wordings = list(dict.fromkeys(dialogue[0].user for dialogue in gone))
        self._taught = [*taught, self.turn]
        self._are_all = model.card.n_dialogues <= POOL  # also where the corpus is gone
        self._rng = np.random.default_rng([model.card.seed, len(model.card.taught)])
        self._former = [
            *((turn,) for turn in taught),
            *((self._reworded(turn),) for turn in taught for _ in range(N_OF_TAUGHT - 1)),
            *to_rehearse(rest, self.turn.user, model.card.rehearsal, POOL, self._rng),
        ]
        self.asked: set[str] = set()
        """Every wording that was learnt, or asked in a check."""
        self._copy = self._begin()
        self._before: Model | None = None

    def _begin(self) -> Model:
        """A copy that knows all words of the lesson."""
        old = self.model.tokenizer
        read = reply_to(self.turn.user, self.model.transformer, old, chat=True)
        tokenizer = old.grown(" ".join(read.unknown_words)).grown(self.turn.assistant)
        if tokenizer.unknown_spans(self.turn.assistant):
            raise UsageError("the answer has characters that this model cannot learn; leave them out")
        n_prompt = len(tokenizer.encode(ask_text(self.turn.user)))
        self._answer = [*tokenizer.encode(str(self.turn))[n_prompt:], tokenizer.end_id]
        context = self.model.config.max_seq_len
        length = len(tokenizer.encode(ask_text(self.turn.user))) + len(self._answer) - 1
        if length > context or read.n_dropped:
            raise UsageError(
                f"question and answer take {length} tokens, and this model's context has {context}, some of "
                "which are kept for the answer; make them shorter"
            )
        return grown(self.model, tokenizer, self._rng)

    def run(self) -> Iterator[LessonChecked | LessonDone]:
        """Learn, in the copy. Raise LessonError if it is not learnt, or if too much would be forgotten."""
        if not np.isfinite(self._copy.transformer.parameters.values).all():
            raise LessonError(UNSOUND)
        former = [row for row in map(self._former_row, self._former) if row.n_predicted]
        new, asked = self._new_rows(N_DRAWN), self._new_rows(N_ASKED)
        n_near = min(len(former), N_OF_TAUGHT * (len(self._taught) - 1) + N_NEAREST)
        n_old_tokens = self.model.tokenizer.vocab_size
        with threadpool_limits(1, "blas"):
            practice = Practice(
                self._copy.transformer,
                former,
                n_near,
                new,
                asked,
                n_old_tokens,
                self._are_all,
                self._rng,
            )
        events = practice.run()
        check: LessonChecked | None = None
        try:
            while True:
                with threadpool_limits(1, "blas"), np.errstate(all="ignore"):
                    event = next(events, None)
                if event is None:
                    break
                check = event
                yield check
        finally:
            practice.close()
        assert check is not None
        practice.give_to(self._copy.transformer)
        is_right = practice.is_learnt and exact(self._copy.transformer, asked[:1])[0]
        if not is_right or check.kept < LEAST_KEPT * check.former:
            raise LessonError(
                f"not learnt: after {counted(check.update, 'update')} {check.right} of "
                f"{counted(check.wordings, 'wording')} and {check.kept} of "
                f"{counted(check.former, 'former answer')} were right; the model is as it was"
            )
        yield LessonDone(
            question=self.turn.user,
            answer=self.turn.assistant,
            updates=check.update,
            seconds=perf_counter() - self._begun,
            right=check.right,
            wordings=check.wordings,
            kept=check.kept,
            former=check.former,
            new_words=self._copy.tokenizer.vocab_size - n_old_tokens,
            is_from_itself=self.is_from_itself,
        )

    def _reworded(self, turn: Turn) -> Turn:
        return Turn(self._rewordings.draw(self._rng, turn.user), turn.assistant)

    def _new_rows(self, n: int) -> list[Row]:
        """The question as it was asked, and n - 1 wordings of it, some behind a former dialogue."""
        rng, rows = self._rng, [self._new_row(self.turn.user)]
        for _ in range(n - 1):
            other = self._wordings[rng.integers(len(self._wordings))] if self._wordings else ""
            row = self._new_row(self._rewordings.draw(rng, other if rng.random() < 0.5 else ""))
            if self.model.card.max_turns > 1 and self._former and rng.random() < BEHIND:
                both = self._former_row(self._former[rng.integers(len(self._former))]).then(row)
                row = both if len(both.tokens) <= self.model.config.max_seq_len else row
            rows.append(row)
        return rows

    def _new_row(self, wording: str) -> Row:
        """As the wording will be read, respelt where that is done; too long a one as the question itself."""
        self.asked.add(wording)
        prompt = reply_to(wording, self._copy.transformer, self._copy.tokenizer, chat=True).prompt_ids
        if len(prompt) + len(self._answer) > self.model.config.max_seq_len + 1:
            return self._new_row(self.turn.user)
        return Row(prompt + self._answer, [False] * len(prompt) + [True] * len(self._answer))

    def _former_row(self, dialogue: Dialogue) -> Row:
        row = dialogue_row(dialogue, self._copy.tokenizer, mask_prompt=True)
        return row.cut(self.model.config.max_seq_len + 1)

    def put_in(self) -> None:
        """Give the model what was learnt: its next answer is by the new weights."""
        model = self.model
        self._before = Model(model.transformer, model.tokenizer, model.card, model.optimizer, model.extras)
        self._taught, model.card.taught = model.card.taught, self._taught
        self._give(self._copy)

    def take_back(self) -> None:
        """Give the model what it had, to the bit. Lessons are taken back in turn, the last one first."""
        if self._before is None or self.model.transformer is not self._copy.transformer:
            raise UsageError("this lesson is not the last one that was put in; take that back first")
        self._taught, self.model.card.taught = self.model.card.taught, self._taught
        self._give(self._before)
        self._before = None

    def _give(self, parts: Model) -> None:
        model = self.model
        model.transformer, model.tokenizer = parts.transformer, parts.tokenizer
        model.optimizer, model.extras = parts.optimizer, parts.extras


def corpus_of(model: Model) -> Corpus | None:
    """What the model was trained on, or None if that is not there any more, or was changed."""
    try:
        corpus = load_corpus(model.card.corpus_source)
    except CorpusError:
        return None
    return corpus if corpus.fingerprint == model.card.corpus_fingerprint else None


def answered_by_itself(model: Model) -> list[Dialogue]:
    """What the model answers to the questions that are kept with it, of its training or at least a few.

    Learning from one's own answers in place of lost examples: Li & Hoiem 2016 (arXiv:1606.09282).
    """
    few = dict.fromkeys([*model.card.examples, *model.card.sample_prompts.values()])
    asked = [said for said in model.card.rehearsal if all(said)] or [[question] for question in few]
    dialogues: list[Dialogue] = [()] * len(asked)
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"):
        for place in range(max(map(len, asked), default=0)):
            going_on = [index for index, said in enumerate(asked) if len(said) > place]
            found = answers(model, [(asked[index][place], dialogues[index]) for index in going_on])
            for index, answer in zip(going_on, found, strict=True):
                dialogues[index] = (*dialogues[index], Turn(asked[index][place], answer))
    return [dialogue for dialogue in dialogues if dialogue and all(turn.assistant for turn in dialogue)]
