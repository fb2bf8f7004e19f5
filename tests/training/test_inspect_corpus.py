"""What is in a corpus, counted by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_runs import CORPUS, DIALOGUES, FACTS

from tinychat.corpus import Corpus, Dialogue, Turn, load_corpus
from tinychat.errors import ConfigError, CorpusError
from tinychat.tokenizer import train_tokenizer
from tinychat.training.inspect_corpus import Inspection, inspect_corpus
from tinychat.training.rows import dialogue_row, fact_row
from tinychat.training.vocabulary import tokenizer_for


def inspected(corpus: Corpus = CORPUS, kind: str = "word", vocab_size: int = 300, context: int = 80):
    return inspect_corpus(corpus, kind, vocab_size, context)


def dialogues_of(*pairs: tuple[str, str]) -> tuple[Dialogue, ...]:
    return tuple((Turn(*pair),) for pair in pairs)


def of_dialogues(*pairs: tuple[str, str]) -> Inspection:
    return inspected(Corpus("tiny", dialogues=dialogues_of(*pairs)))


def test_facts_dialogues_and_turns_are_counted() -> None:
    found = inspected()
    assert (found.facts, found.dialogues, found.turns, found.answers) == (5, 3, 4, 4)
    assert (found.held_out, found.declines, found.held_out_unknown) == (0, 0, 0)
    assert (found.cut, found.duplicate_facts, found.duplicate_questions, found.contradictions) == (
        *([],) * 4,
    )


def test_answers_are_counted_once() -> None:
    assert of_dialogues(("Who sings?", "Birds."), ("What sings?", "Birds."), ("Who?", "birds.")).answers == 2


def test_a_dialogue_is_a_dont_know_by_its_last_answer() -> None:
    first, second = Turn("Who sings?", "Birds."), Turn("Why?", "Nobody told me.")
    corpus = Corpus(
        "tiny",
        dialogues=((first,), (second,), (first, second), (second, first), (Turn("When?", "New to me."),)),
        declines=("Nobody told me.", "New to me."),
    )
    assert inspected(corpus).declines == 3


# Tokens


@pytest.mark.parametrize("kind", ["word", "char", "bpe"])
def test_tokens_are_those_of_the_rows(kind: str) -> None:
    found = inspected(kind=kind)
    tokenizer = train_tokenizer(kind, CORPUS.texts(), 300)
    rows = [fact_row(fact, tokenizer).tokens for fact in FACTS]
    rows += [dialogue_row(dialogue, tokenizer).tokens for dialogue in DIALOGUES]
    every = [token for row in rows for token in row]
    assert (found.tokenizer, found.vocab_size) == (kind, tokenizer.vocab_size)
    assert found.tokens == len(every)
    assert found.once == sum(every.count(token) == 1 for token in range(tokenizer.vocab_size))
    assert found.once > 0


def test_by_hand() -> None:
    """`Birds sing .` and an end; `User : Who sings ? Assistant : Birds .` and an end."""
    found = inspected(Corpus("tiny", ("Birds sing.",), dialogues_of(("Who sings?", "Birds."))))
    assert found.tokens == 4 + 10
    assert found.lengths == [(1, 8, 1), (9, 16, 1)]
    assert found.once == 6  # sing User Who sings ? Assistant


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_every_row_is_under_the_bar_of_its_length(lengths: list[int]) -> None:
    """Bars without a row are there too, so that they can be drawn side by side."""
    found = inspected(Corpus("tiny", tuple("a " * (n - 1) + "b" for n in lengths))).lengths
    assert [(first, last) for first, last, _ in found] == [(8 * n + 1, 8 * n + 8) for n in range(len(found))]
    for first, last, n in found:
        assert n == sum(first <= length + 1 <= last for length in lengths)  # and the end token
    assert found[-1][2] > 0


def test_rows_longer_than_the_context_are_listed_by_their_beginnings() -> None:
    long = "Rain " * 20 + "falls."
    corpus = replace(CORPUS, facts=(*FACTS, long))
    assert inspected(corpus).cut == []
    tokenizer = tokenizer_for(corpus, "word")
    lengths = {text: len(fact_row(text, tokenizer).tokens) for text in corpus.facts}
    for dialogue in DIALOGUES:
        lengths[" ".join(map(str, dialogue))] = len(dialogue_row(dialogue, tokenizer).tokens)
    for context in range(2, 30):  # a row may be longer by the one token that is only predicted
        wanted = [text[:60] for text, length in lengths.items() if length > context + 1]
        assert inspected(corpus, context=context).cut == wanted
    alone = Corpus("tiny", (long,))  # 22 tokens and an end
    assert inspected(alone, context=22).cut == []
    assert inspected(alone, context=21).cut == ["Rain " * 12]


# What is held out


def test_held_out_dialogues_with_unknown_words_are_counted() -> None:
    held_out = (
        *dialogues_of(("What melts rain?", "The sun melts it."), ("What melts hail?", "The sun.")),
        *dialogues_of(("Who sings?", "Larks sing to hail."), ("who sings?", "Birds sing.")),
        (DIALOGUES[2][0], Turn("Why so?", "When?")),
    )
    found = inspected(replace(CORPUS, held_out=held_out))
    assert (found.held_out, found.held_out_unknown) == (5, 4)
    assert found.tokens == inspected().tokens
    assert inspected(replace(CORPUS, held_out=held_out[:1])).held_out_unknown == 0


# What stands twice


def test_facts_that_stand_twice() -> None:
    facts = ("Birds sing.", "Rain falls.", "birds  sing!", "Rain, falls", "Snow falls.", "Birds sing.")
    assert inspected(Corpus("tiny", facts)).duplicate_facts == ["birds sing", "rain falls"]


def test_a_question_that_stands_twice_with_one_answer_is_a_duplicate() -> None:
    found = of_dialogues(("Who sings?", "Birds."), ("who SINGS", "Birds."), ("Who flies?", "Birds."))
    assert (found.duplicate_questions, found.contradictions) == (["who sings"], [])


def test_a_question_with_two_answers_is_a_contradiction() -> None:
    found = of_dialogues(("Who sings?", "Birds."), ("who sings", "Larks."), ("Who sings?", "Birds."))
    assert (found.duplicate_questions, found.contradictions) == ([], ["who sings"])


def test_answers_that_differ_in_punctuation_alone_are_two() -> None:
    assert of_dialogues(("Who?", "Birds."), ("Who?", "Birds")).contradictions == ["who"]


def test_letters_and_figures_make_a_question_another_one() -> None:
    found = of_dialogues(
        ("Is 1 odd?", "Yes."), ("Is 2 odd?", "No."), ("Is é odd?", "Ha."), ("Is odd?", "No.")
    )
    assert (found.duplicate_questions, found.contradictions) == ([], [])


def test_questions_are_the_same_behind_the_same_turns_alone() -> None:
    sings, falls, when = Turn("Who sings?", "Birds."), Turn("What falls?", "Rain."), Turn("When?", "At dawn.")
    later = replace(when, assistant="At dusk.")
    found = inspected(Corpus("tiny", dialogues=((sings, when), (falls, later))))
    assert (found.duplicate_questions, found.contradictions) == ([], [])
    found = inspected(Corpus("tiny", dialogues=((sings, when), (sings, later), (falls, when), (falls, when))))
    assert found.contradictions == ["user who sings assistant birds when"]
    assert found.duplicate_questions == ["user what falls assistant rain when"]


# Errors, and the bundled corpora


def test_an_empty_corpus_is_refused() -> None:
    with pytest.raises(CorpusError, match="is empty"):
        inspected(Corpus("empty"))


@pytest.mark.parametrize("context", [1, 0, -5])
def test_a_context_without_a_token_to_predict_is_refused(context: int) -> None:
    with pytest.raises(ConfigError, match="at least 2"):
        inspected(context=context)
    assert inspected(context=2).context == 2


def test_an_unknown_tokenizer_is_refused() -> None:
    with pytest.raises(ConfigError, match="no tokenizer is called 'morse'"):
        inspected(kind="morse")


@pytest.mark.parametrize("name", ["basics", "world"])
def test_the_bundled_corpora_fit_and_do_not_contradict_themselves(name: str) -> None:
    corpus = load_corpus(name)
    found = inspected(corpus, context=96)
    assert (found.cut, found.duplicate_facts, found.contradictions) == ([], [], [])
    assert (found.facts, found.dialogues) == (len(corpus.facts), len(corpus.dialogues))
    assert sum(n for _, _, n in found.lengths) == found.facts + found.dialogues
