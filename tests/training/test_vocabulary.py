import re
from dataclasses import replace

import pytest

from tinychat.corpus import Corpus, Turn, load_corpus
from tinychat.tokenizer import WordTokenizer, train_tokenizer
from tinychat.training.vocabulary import ENOUGH, superfluous_words, tokenizer_for

WORDINGS = [f"Who is so {word} up there" for word in "abcdefghijklm"[: ENOUGH + 1]]
MANY = Corpus(
    "many",
    facts=("Birds sing.",),
    dialogues=tuple((Turn(wording, "Birds sing."),) for wording in WORDINGS),
)


def with_more(*dialogues: Turn) -> Corpus:
    return replace(MANY, dialogues=(*MANY.dialogues, *((turn,) for turn in dialogues)))


def test_a_word_that_one_of_many_wordings_has_alone_is_superfluous() -> None:
    assert superfluous_words(MANY) == set("abcdefghijklm"[: ENOUGH + 1])
    tokenizer = tokenizer_for(MANY, "word")
    assert isinstance(tokenizer, WordTokenizer)
    assert set(tokenizer.words[6:]) == set(
        re.findall(r"\w+|\W", "User:Assistant.Birds:sing.Who:is:so:up:there")
    )
    assert tokenizer.unknown_spans("Who is so a") == [(10, 11)]


def test_a_word_at_two_places_is_superfluous_as_well() -> None:
    twice = with_more(Turn("Is a singing?", "Birds sing."))
    assert superfluous_words(twice) == {*"abcdefghijklm"[: ENOUGH + 1], "Is", "singing", "?"}


def test_a_word_at_more_places_stays() -> None:
    assert "a" not in superfluous_words(with_more(Turn("Is a or a it?", "Birds sing.")))


def test_with_fewer_wordings_every_word_is_needed() -> None:
    fewer = replace(MANY, dialogues=MANY.dialogues[:ENOUGH])
    assert superfluous_words(fewer) == frozenset()
    assert tokenizer_for(fewer, "word").encode(WORDINGS[0]).count(1) == 0


@pytest.mark.parametrize(
    "other",
    [
        Turn("Say a once more.", "No."),  # in a question that has no other wordings
        Turn("And what else?", "There is a."),  # in an answer
    ],
)
def test_a_word_used_anywhere_else_stays(other: Turn) -> None:
    assert superfluous_words(with_more(other)) == set("bcdefghijklm"[:ENOUGH])


def test_a_word_of_a_fact_or_of_a_question_with_few_wordings_stays() -> None:
    corpus = replace(with_more(Turn("Why zzz?", "So.")), facts=("Birds sing.", "And b sings."))
    assert superfluous_words(corpus) == set("acdefghijklm"[:ENOUGH])


def test_other_tokenizers_know_every_text() -> None:
    assert tokenizer_for(MANY, "char").to_dict() == train_tokenizer("char", MANY.texts()).to_dict()
    assert tokenizer_for(MANY, "bpe", 270).to_dict() == train_tokenizer("bpe", MANY.texts(), 270).to_dict()


def test_of_the_bundled_corpora_every_answer_can_be_said() -> None:
    for name in ("basics", "world"):
        corpus = load_corpus(name)
        tokenizer = tokenizer_for(corpus, "word")
        for text in {*corpus.facts, *(turn.assistant for dialogue in corpus.dialogues for turn in dialogue)}:
            assert tokenizer.decode(tokenizer.encode(text)) == text
    assert superfluous_words(load_corpus("basics")) == frozenset()
