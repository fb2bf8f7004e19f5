"""A token is a character; what was never seen is told."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinychat.corpus import bundled_corpora, load_corpus
from tinychat.errors import CorpusError, WeightsError
from tinychat.tokenizer import CharTokenizer, tokenizer_from_dict
from tinychat.tokenizer.char import SPECIALS

KNOWN = CharTokenizer.train(["I'm well, 27.3 days!\n", "\tcafé 雨🌧 <unk></s>\0"])


@given(st.text(st.sampled_from("I'm wel,273.days!\n\tcfé雨🌧<unk>/\0")))
@example("")
@example("well </s> <unk>")
def test_known_characters_come_back(text: str) -> None:
    ids = KNOWN.encode(text)
    assert KNOWN.decode(ids) == text
    assert len(ids) == len(text)
    assert min(ids, default=2) >= len(SPECIALS)
    assert KNOWN.unknown_spans(text) == []


@given(st.text(), st.text())
@example("\ud800\udc00", "\udc00\ud800 𐀀")
def test_a_text_that_was_trained_on_comes_back(text: str, other: str) -> None:
    tokenizer = CharTokenizer.train([text, other, "x"])
    for written in (text, other):
        assert tokenizer.decode(tokenizer.encode(written)) == written


@pytest.mark.parametrize("source", bundled_corpora())
def test_every_corpus_comes_back(source: str) -> None:
    texts = list(load_corpus(source).texts())
    tokenizer = CharTokenizer.train(texts)
    assert tokenizer.vocab_size == len(set("".join(texts))) + 2
    for text in texts:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_ids_are_in_the_order_of_the_characters() -> None:
    tokenizer = CharTokenizer.train(["cb", "", "ab"])
    assert tokenizer.encode("abc") == [2, 3, 4]
    assert (tokenizer.end_id, tokenizer.unknown_id, tokenizer.vocab_size) == (0, 1, 5)


def test_unknown_characters_are_told_and_read_unk() -> None:
    text = "yes, 雪 ²!"
    assert [text[start:end] for start, end in KNOWN.unknown_spans(text)] == ["雪", "²"]
    assert KNOWN.unknown_spans(text) == [(5, 6), (7, 8)]
    ids = KNOWN.encode(text)
    assert [at for at, index in enumerate(ids) if index == KNOWN.unknown_id] == [5, 7]
    assert KNOWN.decode(ids) == "yes, <unk> <unk>!"


def test_an_accent_is_a_character_of_its_own() -> None:
    assert KNOWN.unknown_spans("cafe\u0301") == [(4, 5)]


@given(st.text())
def test_special_tokens_never_come_from_text(text: str) -> None:
    assert KNOWN.end_id not in KNOWN.encode(text)
    assert min(CharTokenizer.train([text, "x"]).encode(text), default=2) >= len(SPECIALS)


def test_the_end_token_is_not_shown() -> None:
    assert KNOWN.decode([KNOWN.end_id, *KNOWN.encode("well"), KNOWN.end_id]) == "well"


@given(st.text())
@example("well, 雪\n")
def test_a_piece_is_a_character(text: str) -> None:
    ids = KNOWN.encode(text)
    wanted = [(index, at, at + 1, char) for at, (index, char) in enumerate(zip(ids, text, strict=True))]
    assert KNOWN.pieces(text) == wanted


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_a_vocabulary_needs_a_character(texts: list[str]) -> None:
    with pytest.raises(CorpusError, match="no characters"):
        CharTokenizer.train(texts)


@given(st.lists(st.text(), min_size=1).filter(any), st.text())
@example(["\ud800\udc00"], "𐀀")  # side by side in JSON they would come back as one character
def test_the_state_survives_json(texts: list[str], other: str) -> None:
    tokenizer = CharTokenizer.train(texts)
    again = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert isinstance(again, CharTokenizer)
    assert again.vocab_size == tokenizer.vocab_size
    for text in (*texts, other):
        assert again.encode(text) == tokenizer.encode(text)
        assert again.decode(again.encode(text)) == tokenizer.decode(tokenizer.encode(text))


@pytest.mark.parametrize(
    "characters",
    [None, "abc", {"a": 1}, [1], ["a", None], [["a"]], ["a", ""], ["ab"], ["a", "b", "a"], ["</s>"]],
    ids=repr,
)
def test_a_damaged_state_is_refused(characters: object) -> None:
    with pytest.raises(WeightsError) as caught:
        tokenizer_from_dict({"kind": "char", "characters": characters})
    assert "tokenizer" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_state_without_characters_is_refused() -> None:
    with pytest.raises(WeightsError, match="characters"):
        tokenizer_from_dict({"kind": "char", "words": ["a"]})
