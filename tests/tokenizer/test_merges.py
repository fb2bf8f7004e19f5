"""Pairs are merged as their definition says."""

from collections import defaultdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slow_bpe import END, KNOWN, TEXTS, slow_encode, slow_merges, texts_of_few_letters

from tinychat.corpus import load_corpus
from tinychat.tokenizer import BpeTokenizer
from tinychat.tokenizer import merges as merges_module
from tinychat.tokenizer.merges import learn_merges
from tinychat.tokenizer.presplit import pieces_of


@given(texts_of_few_letters, st.integers(257, 290), st.integers(1, 4))
@example(["aaa aaaa aaaaa aaaaaaaaaaa"], 270, 2)
@example(["ababab bababa aabbaabb"], 270, 1)
@example(["abcab bcabc cabca"], 261, 2)
def test_merges_are_learnt_as_defined(texts: list[str], vocab_size: int, min_count: int) -> None:
    tokenizer = BpeTokenizer.train(texts, vocab_size, min_count)
    assert tokenizer.merges == slow_merges(texts, vocab_size, min_count)


@given(texts_of_few_letters, st.text("ab é'🙂\n"))
@example(["aaa aaaa aaaaa aaaaaaaaaaa"], "aaaaaaaaaaaaaaaaaaa")
@example(["ab abc bc bc bc bcd abcd"], "abcd abc bcd dcba")
def test_merges_are_applied_as_defined(texts: list[str], text: str) -> None:
    tokenizer = BpeTokenizer.train(texts)
    for other in (text, *texts):
        assert tokenizer.encode(other) == slow_encode(other, tokenizer.merges)


def test_a_real_corpus_is_learnt_as_defined() -> None:
    texts = list(load_corpus("basics").texts())[:40]
    tokenizer = BpeTokenizer.train(texts, vocab_size=330)
    assert tokenizer.vocab_size == 330
    assert tokenizer.merges == slow_merges(texts, 330)
    for text in texts:
        assert tokenizer.encode(text) == slow_encode(text, tokenizer.merges)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), unique=True, max_size=12))
def test_merges_in_any_order_are_applied_as_defined(pairs: list[tuple[int, int]]) -> None:
    """A file may hold merges that no training would have found in this order."""
    ids = [ord("a"), ord("b")]
    merges: list[tuple[int, int]] = []
    for a, b in pairs:
        pair = ids[a % len(ids)], ids[b % len(ids)]
        if pair not in merges:
            merges.append(pair)
            ids.append(END + len(merges))
    tokenizer = BpeTokenizer(merges)
    for text in ("aaaaaaaaaaaa", "abababababab", "aabbbaababbbbaabab", "ba"):
        assert tokenizer.encode(text) == slow_encode(text, merges)


def test_the_most_frequent_pair_is_merged_first() -> None:
    assert BpeTokenizer.train(["xy xy xy zw zw"], 258).merges == [(ord("x"), ord("y"))]


@pytest.mark.parametrize("text", ["ab cd", "cd ab", "cb ad", "ca cd"])
def test_of_equally_frequent_pairs_the_larger_is_merged_first(text: str) -> None:
    """Each word twice; all pairs are equally frequent but for the one that begins with a space."""
    words = text.split()
    tokenizer = BpeTokenizer([])
    learnt = learn_merges({word.encode(): 2 for word in words}, 1, 2)
    assert learnt == [max(tuple(tokenizer.encode(word)) for word in words)]


def test_a_merged_token_is_larger_than_every_byte() -> None:
    """After `ab`, the pairs (ab, c) and (z, z) are equally frequent."""
    a, b, c, z = b"abcz"
    assert learn_merges({b"abc": 2, b"ab": 1, b"zz": 2}, 3, 2) == [(a, b), (257, c), (z, z)]


def test_overlapping_pairs_are_merged_from_the_left() -> None:
    tokenizer = BpeTokenizer([(ord("a"), ord("a"))])
    assert tokenizer.encode("aaa") == [257, ord("a")]
    assert tokenizer.encode("aaaaa") == [257, 257, ord("a")]


@pytest.mark.parametrize(("min_count", "n_merges"), [(1, 2), (2, 2), (3, 1), (4, 0)])
def test_rare_pairs_are_not_merged(min_count: int, n_merges: int) -> None:
    assert len(learn_merges({b"ab": 3, b"cd": 2}, 10, min_count)) == n_merges


def test_pairs_do_not_reach_over_the_pieces() -> None:
    tokenizer = BpeTokenizer.train(["it's 12th, " * 20])
    for token in tokenizer.tokens[END + 1 :]:
        assert len(pieces_of(token.decode())) == 1


def test_a_smaller_vocabulary_has_the_first_of_the_merges() -> None:
    small = BpeTokenizer.train(TEXTS, 270)
    assert small.vocab_size == 270
    assert small.merges == KNOWN.merges[: 270 - 257]
    assert small.tokens == KNOWN.tokens[:270]


class Counting(defaultdict[tuple[int, int], int]):
    """Counts how often a value is set."""

    n_set = 0

    def __setitem__(self, pair: tuple[int, int], count: int) -> None:
        Counting.n_set += 1
        super().__setitem__(pair, count)


def test_learning_touches_only_the_places_of_the_merged_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long word that has nothing more to merge is not gone through again with every merge."""
    monkeypatch.setattr(merges_module, "defaultdict", Counting)
    long = bytes(range(256)) * 20
    words = {**{bytes([byte, byte, 0]): 100 for byte in range(1, 101)}, long: 1}
    assert len(learn_merges(words, 100, 100)) == 100
    # Every pair once to begin with, two changes for each of at most two neighbours, and the list of places.
    n_pairs = sum(len(word) - 1 for word in words)
    assert n_pairs <= Counting.n_set <= 2 * (n_pairs + 100 * 6)
