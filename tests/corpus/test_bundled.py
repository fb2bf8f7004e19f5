"""The corpora that come with the package are fit to train on."""

from pathlib import Path

import pytest

from tinychat.corpus import Corpus, bundled_corpora, load_corpus
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
