"""Tokenizers by name, and what holds for all of them."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinychat.errors import ConfigError, WeightsError
from tinychat.tokenizer import (
    KINDS,
    BpeTokenizer,
    CharTokenizer,
    WordTokenizer,
    tokenizer_from_dict,
    train_tokenizer,
)

TEXTS = ("User: What is rain? Assistant: Water falls.", "It's raining, it's pouring: 12  drops!\n", "雨 🌧")
CLASSES = {"word": WordTokenizer, "char": CharTokenizer, "bpe": BpeTokenizer}
TOKENIZERS = {kind: train_tokenizer(kind, TEXTS, 262) for kind in KINDS}

every_kind = pytest.mark.parametrize("kind", KINDS)


def test_the_names() -> None:
    assert set(KINDS) == set(CLASSES)
    assert {kind: type(tokenizer) for kind, tokenizer in TOKENIZERS.items()} == CLASSES


def test_the_size_is_that_of_a_bpe() -> None:
    assert {kind: t.vocab_size for kind, t in TOKENIZERS.items()} == {
        "word": WordTokenizer.train(TEXTS).vocab_size,
        "char": CharTokenizer.train(TEXTS).vocab_size,
        "bpe": 262,
    }
    assert train_tokenizer("bpe", TEXTS).to_dict() == BpeTokenizer.train(TEXTS).to_dict()
    with pytest.raises(ConfigError, match="257"):
        train_tokenizer("bpe", TEXTS, 100)


@every_kind
def test_texts_can_be_an_iterator(kind: str) -> None:
    assert train_tokenizer(kind, iter(TEXTS), 262).to_dict() == TOKENIZERS[kind].to_dict()


@pytest.mark.parametrize("kind", ["words", "", "BPE", "char "])
def test_an_unknown_name_is_refused_with_the_names_there_are(kind: str) -> None:
    with pytest.raises(ConfigError, match=f"'{kind}'.*word, char, bpe"):
        train_tokenizer(kind, TEXTS)


@every_kind
def test_every_kind_comes_back_from_its_state(kind: str) -> None:
    again = tokenizer_from_dict(json.loads(json.dumps(TOKENIZERS[kind].to_dict())))
    assert type(again) is CLASSES[kind]
    assert again.to_dict() == TOKENIZERS[kind].to_dict()


@every_kind
def test_tokens_can_be_read(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]
    assert tokenizer.shown(tokenizer.end_id) == "</s>"
    for text in TEXTS:
        for piece in tokenizer.pieces(text):
            assert tokenizer.shown(piece.id).lstrip(" ") == piece.shown.lstrip(" ")
    assert all(tokenizer.shown(index) for index in range(tokenizer.vocab_size))


@pytest.mark.parametrize("kind", [None, "", "words", ["bpe"], {"bpe": 1}, 0, "tinychat"])
def test_an_unknown_kind_of_state_is_refused(kind: object) -> None:
    state = {**TOKENIZERS["word"].to_dict(), **TOKENIZERS["bpe"].to_dict(), "kind": kind}
    with pytest.raises(WeightsError, match="unknown kind"):
        tokenizer_from_dict(state)


@every_kind
@pytest.mark.parametrize("other", KINDS)
def test_the_state_of_another_kind_is_refused(kind: str, other: str) -> None:
    state = {**TOKENIZERS[other].to_dict(), "kind": kind}
    if kind == other:
        assert tokenizer_from_dict(state).to_dict() == state
    else:
        with pytest.raises(WeightsError, match="damaged"):
            tokenizer_from_dict(state)


@every_kind
@given(st.text(st.sampled_from("rain It's12雨🌧.:<>[] \n\t\xa0é")))
@example("")
@example("</s>")
def test_what_the_interface_promises(kind: str, text: str) -> None:
    tokenizer = TOKENIZERS[kind]
    ids = tokenizer.encode(text)
    assert all(0 <= index < tokenizer.vocab_size for index in ids)
    assert tokenizer.end_id not in ids
    pieces = tokenizer.pieces(text)
    assert [piece.id for piece in pieces] == ids
    assert [0, *(piece.end for piece in pieces)] == [*(piece.start for piece in pieces), len(text)]
    assert (tokenizer.decode(ids) == text) == (tokenizer.unknown_spans(text) == [])
    for piece in pieces:
        assert piece.shown == text[piece.start : piece.end] or piece.shown == "<join>" or "\\x" in piece.shown


@every_kind
def test_the_end_reads_the_same_in_all(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]
    assert tokenizer.shown(tokenizer.end_id) == "</s>"
    assert tokenizer.end_id not in tokenizer.encode("</s>")
