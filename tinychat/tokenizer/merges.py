"""Byte-pair encoding: learn which pairs of tokens to merge, and merge them.

https://arxiv.org/abs/1508.07909, on bytes as in GPT-2. The tokens of a word are a list with links to the
neighbours, so that a merge costs no more than the places where it happens.
"""

from collections import defaultdict
from collections.abc import Mapping
from heapq import heapify, heappop, heappush
from itertools import pairwise

Pair = tuple[int, int]
"""Ids of two tokens, one after the other."""

N_BYTES = 256
"""Ids below are the bytes themselves."""
FIRST_MERGE = N_BYTES + 1
"""Id of what the first merge makes, the next merge making the next id. The id between is the end token's."""
LONGEST_TOKEN = 1024
"""Bytes. No language has such words; without an end, the tokens of `xxxx…` double with every merge."""

_NONE = -1
"""Stands in the place of a token where a word ends, and where a merge has taken the token away."""


def learn_merges(words: Mapping[bytes, int], n_merges: int, min_count: int) -> list[Pair]:
    """The merges of the most frequent pairs, at most `n_merges`, in the order in which they are to be made.

    words : word -> how often the training text has it; pairs are counted inside of words.
    min_count : a pair that occurs less often is not merged.

    The most frequent pair is merged first, and of equally frequent ones the larger pair of ids. Pairs that
    would make a token longer than LONGEST_TOKEN are passed over.
    """
    ids: list[int] = []
    weights: list[int] = []
    for word, count in words.items():
        ids += [*word, _NONE]
        weights += [count] * (len(word) + 1)
    after = [*range(1, len(ids)), 0]
    before = list(range(-1, len(ids) - 1))  # a ring: before the first word is the _NONE behind the last

    counts: defaultdict[Pair, int] = defaultdict(int)
    places: defaultdict[Pair, list[int]] = defaultdict(list)
    """Where the left token of a pair may be found: a place is added when the pair comes up, never removed."""
    for left, pair in enumerate(pairwise(ids)):
        if _NONE not in pair:
            counts[pair] += weights[left]
            places[pair].append(left)

    # A count only falls once its pair is in the queue; one that has fallen is put back when it comes up.
    queue = [(-count, -a, -b) for (a, b), count in counts.items() if count >= min_count]
    heapify(queue)
    lengths = [1] * FIRST_MERGE
    merges: list[Pair] = []
    while queue and len(merges) < n_merges:
        negative, a, b = heappop(queue)
        a, b = -a, -b
        if counts[a, b] != -negative:
            if counts[a, b] >= min_count:
                heappush(queue, (-counts[a, b], -a, -b))
            continue
        if lengths[a] + lengths[b] > LONGEST_TOKEN:
            continue
        merged = FIRST_MERGE + len(merges)
        merges.append((a, b))
        lengths.append(lengths[a] + lengths[b])
        fresh: set[Pair] = set()
        for left in sorted(places.pop((a, b))):  # in order, for `aaa` is `aa` and `a`
            right = after[left]
            if ids[left] != a or ids[right] != b:
                continue
            weight = weights[left]
            if (neighbour := ids[before[left]]) != _NONE:
                counts[neighbour, a] -= weight
                counts[neighbour, merged] += weight
                places[neighbour, merged].append(before[left])
                fresh.add((neighbour, merged))
            if (neighbour := ids[after[right]]) != _NONE:
                counts[b, neighbour] -= weight
                counts[merged, neighbour] += weight
                places[merged, neighbour].append(left)
                fresh.add((merged, neighbour))
            ids[left], ids[right] = merged, _NONE
            after[left] = after[right]
            before[after[left]] = left
        del counts[a, b]
        for pair in fresh:
            if counts[pair] >= min_count:
                heappush(queue, (-counts[pair], -pair[0], -pair[1]))
    return merges


def apply_merges(word: bytes, merged: Mapping[Pair, int]) -> list[int]:
    """Ids of a word: its bytes, the pairs among them merged in the order in which the merges were learnt.

    merged : pair -> id of what it becomes; the lower, the earlier.
    """
    ids = [*word, _NONE]
    after = [*range(1, len(ids)), 0]
    before = list(range(-1, len(ids) - 1))
    queue = [(merged[pair], left) for left, pair in enumerate(pairwise(ids)) if pair in merged]
    heapify(queue)
    while queue:
        index, left = heappop(queue)
        right = after[left]
        if merged.get((ids[left], ids[right])) != index:
            continue  # a merge before has taken one of the two
        ids[left], ids[right] = index, _NONE
        after[left] = after[right]
        before[after[left]] = left
        for start in (before[left], left):
            pair = ids[start], ids[after[start]]
            if pair in merged:
                heappush(queue, (merged[pair], start))
    return [index for index in ids if index != _NONE]
