"""Byte-pair encoding as it is defined, however long it takes, and texts for it."""

from collections import Counter
from itertools import pairwise

from hypothesis import strategies as st

from tinychat.tokenizer import BpeTokenizer
from tinychat.tokenizer.presplit import pieces_of

END = 256
TEXTS = (
    "The moon pulls the sea, and the sea pulls the moon.",
    "User: What is the moon? Assistant: The moon is a rock; it's far away.",
    "Der Mond ist größer als die Größe 月 🌙🌙 月月.",
)
KNOWN = BpeTokenizer.train(TEXTS)
texts_of_few_letters = st.lists(st.text("ab é'🙂\n", max_size=20), max_size=5)


def merged(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """`ids` with `new` for every occurrence of the pair, from left to right."""
    result: list[int] = []
    while ids:
        found = tuple(ids[:2]) == pair
        result.append(new if found else ids[0])
        ids = ids[2 if found else 1 :]
    return result


def pairs_in(words: list[list[int]]) -> Counter[tuple[int, int]]:
    return Counter(pair for word in words for pair in pairwise(word))


def slow_merges(texts: list[str], vocab_size: int, min_count: int = 2) -> list[tuple[int, int]]:
    """By definition: count everything, merge the most frequent pair everywhere, begin again."""
    words = [list(piece.encode()) for text in texts for piece in pieces_of(text)]
    merges: list[tuple[int, int]] = []
    while END + 1 + len(merges) < vocab_size:
        count, pair = max(((n, pair) for pair, n in pairs_in(words).items()), default=(0, (0, 0)))
        if count < min_count:
            break
        words = [merged(word, pair, END + 1 + len(merges)) for word in words]
        merges.append(pair)
    return merges


def slow_encode(text: str, merges: list[tuple[int, int]]) -> list[int]:
    """By definition: in every piece, all merges one after the other."""
    ids: list[int] = []
    for piece in pieces_of(text):
        word = list(piece.encode())
        for number, pair in enumerate(merges):
            word = merged(word, pair, END + 1 + number)
        ids += word
    return ids
