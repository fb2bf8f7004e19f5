"""Byte-pair encoding: no text is ever lost, and a saved vocabulary is the same again."""

import json
import os
import string
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slow_bpe import END, KNOWN, TEXTS, slow_encode, texts_of_few_letters

from tinychat.corpus import bundled_corpora, load_corpus
from tinychat.errors import ConfigError, WeightsError
from tinychat.tokenizer import BpeTokenizer, tokenizer_from_dict
from tinychat.tokenizer import bpe as bpe_module
from tinychat.tokenizer.merges import LONGEST_TOKEN

ROOT = Path(__file__).parents[2]
SHAKESPEARE = ROOT.parent / "shared" / "data" / "tinyshakespeare" / "input.txt"


# The vocabulary


def test_bytes_end_token_and_merges_have_their_places() -> None:
    assert KNOWN.end_id == END
    assert KNOWN.tokens[:END] == [bytes([byte]) for byte in range(256)]
    assert KNOWN.vocab_size == len(KNOWN.tokens) == END + 1 + len(KNOWN.merges)
    for index, (a, b) in enumerate(KNOWN.merges, start=END + 1):
        assert KNOWN.tokens[index] == KNOWN.tokens[a] + KNOWN.tokens[b]


@pytest.mark.parametrize("vocab_size", [0, -1, 1, 256, 300.0, "300", True, None])
def test_a_vocabulary_has_room_for_the_bytes_and_the_end(vocab_size: int) -> None:
    with pytest.raises(ConfigError, match="257"):
        BpeTokenizer.train(TEXTS, vocab_size)


@pytest.mark.parametrize("min_count", [0, -1, 1.5, True, None])
def test_a_pair_to_merge_occurs(min_count: int) -> None:
    with pytest.raises(ConfigError, match="min_count"):
        BpeTokenizer.train(TEXTS, 300, min_count)


@pytest.mark.parametrize("texts", [[], [""], ["a"], ["ab cd ef"]])
def test_without_a_frequent_pair_the_bytes_are_left(texts: list[str]) -> None:
    tokenizer = BpeTokenizer.train(texts)
    assert tokenizer.vocab_size == 257
    assert tokenizer.encode("ab 月") == list("ab 月".encode())


def test_tokens_do_not_grow_without_an_end() -> None:
    tokenizer = BpeTokenizer.train(["x" * 20 * LONGEST_TOKEN])
    assert max(map(len, tokenizer.tokens)) == LONGEST_TOKEN
    again = tokenizer_from_dict(tokenizer.to_dict())
    text = "x" * 10_000
    assert again.decode(again.encode(text)) == text
    assert len(again.encode(text)) < 15


# Text and back


@given(st.text())
@example("")
@example("\0\x01\x7f\x80\x85\xa0\u2028\u200d\ufeff\uffff\U0010ffff")
@example(" \t\n\r\x0b\x0c\x1c\x1f  \n\n x  ")
@example("👩‍🚀🏳️‍🌈🇩🇪 e\u0301 ½Ⅳ 月")
@example("User: What is the moon? Assistant: The moon")
def test_every_text_comes_back(text: str) -> None:
    assert KNOWN.decode(KNOWN.encode(text)) == text
    assert KNOWN.unknown_spans(text) == []


@given(st.text(), st.text())
def test_a_text_that_was_trained_on_comes_back(text: str, other: str) -> None:
    tokenizer = BpeTokenizer.train([text * 3])
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode(tokenizer.encode(other)) == other


@given(st.text(st.sampled_from("a é月\ud800\udcff\udfff")))
def test_a_lone_surrogate_reads_as_a_question_mark(text: str) -> None:
    read = "".join("?" if "\ud800" <= char <= "\udfff" else char for char in text)
    assert KNOWN.decode(KNOWN.encode(text)) == read
    assert BpeTokenizer.train([text] * 2).merges == BpeTokenizer.train([read] * 2).merges


@pytest.mark.parametrize("source", bundled_corpora())
def test_every_corpus_comes_back_and_is_shorter(source: str) -> None:
    texts = list(load_corpus(source).texts())
    tokenizer = BpeTokenizer.train(texts)
    n_tokens = 0
    for text in texts:
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        n_tokens += len(ids)
    assert n_tokens < sum(len(text.encode()) for text in texts) / 3


@given(st.text(st.sampled_from("ab é月🙂")))
def test_an_answer_can_be_shown_after_every_token(text: str) -> None:
    """The characters that are complete, and then at most one mark for the one that has begun."""
    ids = KNOWN.encode(text)
    for n in range(len(ids) + 1):
        shown = KNOWN.decode(ids[:n])
        complete = shown.removesuffix("\N{REPLACEMENT CHARACTER}")
        assert text.startswith(complete)
        n_bytes = sum(len(KNOWN.tokens[index]) for index in ids[:n])
        assert (shown == complete) == (len(complete.encode()) == n_bytes)


def test_ids_that_are_no_text_are_shown_all_the_same() -> None:
    assert KNOWN.decode([0xC3, 0xA9]) == "é"
    assert KNOWN.decode([0xC3]) == "�"
    assert KNOWN.decode([0xA9, ord("a"), 0xC3, ord("b")]) == "�a�b"
    assert KNOWN.decode(list(range(KNOWN.vocab_size))).isprintable() is False
    shown = KNOWN.decode([0xED, 0xA0, 0x80])  # the bytes of a surrogate, with which printing would fail
    assert shown.encode() == "���".encode()


# Special tokens


@pytest.mark.parametrize("text", ["</s>", "<|endoftext|>", "<unk> </s>", "moon</s>"])
def test_special_tokens_never_come_from_text(text: str) -> None:
    trained = BpeTokenizer.train([text * 5])
    for tokenizer in (KNOWN, trained):
        assert END not in tokenizer.encode(text)
        assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.text())
def test_no_text_ends_a_row(text: str) -> None:
    assert END not in KNOWN.encode(text)
    assert all(END not in pair for pair in BpeTokenizer.train([text * 2]).merges)


def test_the_end_token_is_not_shown() -> None:
    ids = KNOWN.encode("The moon é")
    assert KNOWN.decode([*ids, END]) == "The moon é"
    assert KNOWN.decode([END]) == ""


def test_speakers_are_ordinary_text() -> None:
    """They fall apart at the colon, and with text behind them their ids stay the same."""
    for mark in ("User:", "Assistant:"):
        ids = KNOWN.encode(mark)
        assert KNOWN.encode(f"{mark} the moon")[: len(ids)] == ids


# Pieces


@given(st.text(st.sampled_from("ab 'é月🙂\n\ud800\u0301") | st.characters(), max_size=30))
@example("🌙🌙🙂 月")
def test_the_pieces_cover_the_text(text: str) -> None:
    pieces = KNOWN.pieces(text)
    assert [piece.id for piece in pieces] == KNOWN.encode(text)
    assert [0, *(piece.end for piece in pieces)] == [*(piece.start for piece in pieces), len(text)]


def test_a_piece_shows_its_text_or_its_bytes() -> None:
    tokenizer = BpeTokenizer.train(["ab ab ab"], 258)
    shown = [(piece.start, piece.end, piece.shown) for piece in tokenizer.pieces("ab🙂é")]
    parts = [
        (2, 3, r"\xf0"),
        (3, 3, r"\x9f"),
        (3, 3, r"\x99"),
        (3, 3, r"\x82"),
        (3, 4, r"\xc3"),
        (4, 4, r"\xa9"),
    ]
    assert shown == [(0, 2, "ab"), *parts]


def test_a_piece_with_a_whole_character_and_a_part_shows_both() -> None:
    [c3] = "é".encode()[:1]
    tokenizer = BpeTokenizer([(ord(" "), c3)])
    assert [piece.shown for piece in tokenizer.pieces(" é")] == [r" \xc3", r"\xa9"]
    assert [piece[1:3] for piece in tokenizer.pieces(" é")] == [(0, 2), (2, 2)]


# The cache


def test_the_cache_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpe_module, "_CACHED_PIECES", 5)
    tokenizer = BpeTokenizer(KNOWN.merges)
    text = " ".join(string.ascii_letters) + " the moon" * 3 + " " + "moon" * 100
    for _ in range(3):
        assert tokenizer.encode(text) == slow_encode(text, KNOWN.merges)
        assert 0 < len(tokenizer._cache) <= 5
        assert all(len(piece) <= bpe_module._CACHED_LENGTH for piece in tokenizer._cache)


def test_what_a_caller_does_to_the_ids_is_not_remembered() -> None:
    ids = KNOWN.encode("moon")
    wanted = list(ids)
    ids.append(END)
    KNOWN.encode("moon").clear()
    assert KNOWN.encode("moon") == wanted


def test_a_piece_is_merged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[bytes] = []
    apply_merges = bpe_module.apply_merges
    monkeypatch.setattr(
        bpe_module, "apply_merges", lambda word, table: worked.append(word) or apply_merges(word, table)
    )
    tokenizer = BpeTokenizer(KNOWN.merges)
    tokenizer.encode("sea the sea the sea")
    tokenizer.encode("the sea")
    assert worked == [b"sea", b" the", b" sea", b"the"]


# The same everywhere


@given(st.permutations(TEXTS))
def test_ids_do_not_depend_on_the_order_of_the_texts(texts: list[str]) -> None:
    assert BpeTokenizer.train(texts).merges == KNOWN.merges


def test_ids_do_not_depend_on_the_hash_seed() -> None:
    program = f"from tinychat.tokenizer import BpeTokenizer\nprint(BpeTokenizer.train({TEXTS!r}).merges)"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert printed == {str(KNOWN.merges)}


# Save and load


@given(texts_of_few_letters, st.text())
def test_the_state_survives_json(texts: list[str], other: str) -> None:
    tokenizer = BpeTokenizer.train(texts)
    again = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert isinstance(again, BpeTokenizer)
    assert again.tokens == tokenizer.tokens
    for text in (*texts, other):
        assert again.encode(text) == tokenizer.encode(text)


DOUBLING = [[97, 97], *([index, index] for index in range(257, 300))]


@pytest.mark.parametrize(
    "merges",
    [
        None,
        "ab",
        {"97": 98},
        [None],
        ["ab"],
        [[97]],
        [[97, 98, 99]],
        [[97, "b"]],
        [[97, 98.0]],
        [[97, True]],
        [[97, None]],
        [[[97], 98]],
        [{"97": 98}],
        [[97, -1]],
        [[-1, 97]],
        [[97, 256]],
        [[256, 97]],
        [[97, 257]],
        [[258, 97], [97, 98]],
        [[97, 10**30]],
        [[97, 98], [257, 97], [97, 98]],
        DOUBLING,
    ],
    ids=lambda merges: repr(merges)[:40],
)
def test_a_damaged_state_is_refused(merges: object) -> None:
    with pytest.raises(WeightsError) as caught:
        tokenizer_from_dict({"kind": "bpe", "merges": merges})
    assert "tokenizer" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_state_without_merges_is_refused() -> None:
    with pytest.raises(WeightsError, match="merges"):
        tokenizer_from_dict({"kind": "bpe"})


def test_merges_of_merges_are_no_damage() -> None:
    state = {"kind": "bpe", "merges": [[97, 98], [257, 257], [0, 258], [255, 97]]}
    assert tokenizer_from_dict(state).to_dict() == state


@pytest.mark.slow
@pytest.mark.skipif(not SHAKESPEARE.is_file(), reason="there is no ../shared/data/tinyshakespeare/input.txt")
def test_a_megabyte_is_learnt_and_encoded_in_no_time() -> None:
    text = SHAKESPEARE.read_text(encoding="utf-8")
    begun = process_time()
    tokenizer = BpeTokenizer.train([text])
    learnt = process_time()
    ids = tokenizer.encode(text)
    encoded = process_time()
    assert tokenizer.vocab_size == 4096
    assert tokenizer.decode(ids) == text
    assert len(text) / len(ids) > 3
    # Two seconds and half a one; if all pairs were counted anew for every merge, it would take many minutes.
    assert learnt - begun < 30
    assert encoded - learnt < 10
