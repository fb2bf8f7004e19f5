"""The corpora that come with the package are fit to train on."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tinychat.corpus import Corpus, Dialogue, bundled_corpora, load_corpus
from tinychat.errors import CorpusError
from tinychat.presets import preset
from tinychat.tokenizer import WordTokenizer

TOPICS = ("mountain", "rain", "sun", "gravity", "moon", "photosynthesis")


@pytest.fixture(scope="module")
def basics() -> Corpus:
    return load_corpus("basics")


def test_basics_is_the_default(basics: Corpus) -> None:
    assert "basics" in bundled_corpora()
    assert load_corpus() == basics
    assert (basics.name, basics.source) == ("basics", "basics")


@pytest.mark.parametrize("name", bundled_corpora())
def test_every_bundled_corpus_is_read_without_a_warning(name: str) -> None:
    corpus = load_corpus(name)
    assert corpus.warnings == ()
    assert load_corpus(bundled_corpora()[name]).fingerprint == corpus.fingerprint


def test_an_unknown_name_tells_the_known_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError) as caught:
        load_corpus("basic")
    for name in bundled_corpora():
        assert name in str(caught.value)


def test_there_is_enough_to_learn(basics: Corpus) -> None:
    assert len(basics.facts) >= 60
    assert len(basics.dialogues) >= 120


def test_nothing_is_said_twice(basics: Corpus) -> None:
    questions = [tuple(turn.user for turn in dialogue) for dialogue in basics.dialogues]
    for texts in (basics.facts, questions):
        assert sorted(texts) == sorted(set(texts))


def test_facts_are_sentences(basics: Corpus) -> None:
    assert [fact for fact in basics.facts if not fact.endswith(".") or not fact[0].isupper()] == []


def test_every_row_fits_into_the_context(basics: Corpus) -> None:
    tokenizer = WordTokenizer.train(basics.texts())
    context = preset("classic").model_config(tokenizer.vocab_size).max_seq_len
    assert context == 80
    rows = [[fact] for fact in basics.facts] + [list(map(str, dialogue)) for dialogue in basics.dialogues]
    too_long = [row for row in rows if sum(len(tokenizer.encode(text)) + 1 for text in row) > context]
    assert too_long == []


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_facts_and_questions(basics: Corpus, topic: str) -> None:
    assert any(topic in fact.lower() for fact in basics.facts)
    assert any(topic in dialogue[0].user.lower() for dialogue in basics.dialogues)


def test_the_question_of_the_first_minute_is_there(basics: Corpus) -> None:
    [answer] = [d[0].assistant for d in basics.dialogues if d[0].user == "How do mountains form?"]
    assert answer.endswith(".")


def test_it_is_plain_ascii(basics: Corpus) -> None:
    assert [text for text in basics.texts() if not text.isascii() or not text.isprintable()] == []


# The corpus `world`


def plain(text: str) -> str:
    """Lower case, letters and figures only, single spaces."""
    return " ".join("".join(char if char.isalnum() else " " for char in text.lower()).split())


def wordings(dialogues: tuple[Dialogue, ...]) -> dict[str, set[str]]:
    """Answer -> first questions, alike but for case and punctuation being the same."""
    found: dict[str, set[str]] = defaultdict(set)
    for dialogue in dialogues:
        found[dialogue[0].assistant].add(plain(dialogue[0].user))
    return found


@pytest.fixture(scope="module")
def world() -> Corpus:
    return load_corpus("world")


@pytest.fixture(scope="module")
def learnt(world: Corpus) -> dict[str, set[str]]:
    """Wordings that are learnt, don't-knows left out."""
    return {
        answer: asked for answer, asked in wordings(world.dialogues).items() if answer not in world.declines
    }


def test_every_fact_that_is_asked_for_is_asked_in_many_ways(
    world: Corpus, learnt: dict[str, set[str]]
) -> None:
    asked = learnt.keys() & set(world.facts)
    assert len(asked) >= 150
    assert [answer for answer in asked if len(learnt[answer]) < 8] == []


def test_small_talk_comes_in_many_wordings(world: Corpus, learnt: dict[str, set[str]]) -> None:
    small_talk = learnt.keys() - set(world.facts)
    assert len(small_talk) >= 60
    assert [answer for answer in small_talk if len(learnt[answer]) < 10] == []


def test_enough_questions_cannot_be_answered(world: Corpus) -> None:
    unknown = [d for d in world.dialogues if d[-1].assistant in world.declines]
    assert world.declines
    assert len({plain(d[-1].user) for d in unknown}) >= 200
    assert not set(world.declines) & set(world.facts)


def test_every_fact_has_wordings_that_are_held_out(world: Corpus, learnt: dict[str, set[str]]) -> None:
    held_out = wordings(world.held_out)
    asked = learnt.keys() & set(world.facts)
    assert [answer for answer in asked if len(held_out.get(answer, ())) < 2] == []
    assert held_out.keys() & set(world.declines), "nor are the honest answers measured"


def test_what_is_held_out_is_never_learnt(world: Corpus) -> None:
    learnt = {plain(turn.user) for dialogue in world.dialogues for turn in dialogue}
    held_out = [plain(turn.user) for dialogue in world.held_out for turn in dialogue]
    assert [question for question in held_out if question in learnt] == []
    assert len(held_out) == len(set(held_out))


def test_what_is_held_out_can_be_answered(world: Corpus) -> None:
    answers = {turn.assistant for dialogue in world.dialogues for turn in dialogue}
    assert {turn.assistant for dialogue in world.held_out for turn in dialogue} <= answers


def test_follow_ups_have_two_turns(world: Corpus) -> None:
    follow_ups = [dialogue for dialogue in world.dialogues if len(dialogue) > 1]
    assert len({dialogue[1].assistant for dialogue in follow_ups}) >= 100
    assert {len(dialogue) for dialogue in follow_ups} == {2}
    alone = {(plain(d[0].user), d[0].assistant) for d in world.dialogues if len(d) == 1}
    assert [d for d in follow_ups if (plain(d[0].user), d[0].assistant) not in alone] == []
    for first, second in follow_ups:
        kind = world.declines if first.assistant in world.declines else world.facts
        assert second.assistant in kind


def test_no_question_has_two_answers(world: Corpus) -> None:
    answers: dict[str, set[str]] = defaultdict(set)
    for dialogue in (*world.dialogues, *world.held_out):
        said = ""
        for turn in dialogue:
            answers[said + plain(turn.user)].add(turn.assistant)
            said += f"{plain(turn.user)} / {turn.assistant} / "
    assert [question for question, found in answers.items() if len(found) > 1] == []


def test_nothing_in_world_is_said_twice(world: Corpus) -> None:
    asked = [(*map(str, d[:-1]), plain(d[-1].user)) for d in (*world.dialogues, *world.held_out)]
    for texts in (asked, list(map(plain, world.facts))):
        assert [text for text, count in Counter(texts).items() if count > 1] == []


def test_world_is_plain_ascii(world: Corpus) -> None:
    said = [str(turn) for dialogue in (*world.dialogues, *world.held_out) for turn in dialogue]
    assert [text for text in (*world.facts, *said) if not text.isascii() or not text.isprintable()] == []


def test_facts_of_world_are_sentences(world: Corpus) -> None:
    assert [fact for fact in world.facts if not fact.endswith(".") or not fact[0].isupper()] == []


def test_every_row_of_world_fits_into_the_contexts(world: Corpus) -> None:
    tokenizer = WordTokenizer.train(world.texts())
    context = min(preset(name).model_config(2).max_seq_len for name in ("classic", "modern"))
    rows = [[fact] for fact in world.facts] + [list(map(str, dialogue)) for dialogue in world.dialogues]
    assert [row for row in rows if sum(len(tokenizer.encode(text)) + 1 for text in row) > context] == []
