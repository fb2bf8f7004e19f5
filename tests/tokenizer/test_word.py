"""Nothing is lost between text and ids, and what is not known is told."""

import json
import os
import string
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinychat.corpus import bundled_corpora, load_corpus
from tinychat.errors import CorpusError, WeightsError
from tinychat.tokenizer import WordTokenizer, tokenizer_from_dict
from tinychat.tokenizer.word import SPECIALS, split

ROOT = Path(__file__).parents[2]
RUSTGPT = ROOT.parent / "shared" / "data" / "rustgpt"

WORDS = ("I", "m", "well", "you", "s", "unk", "join", "27", "3", "299", "1st", "café", "雨", "🌧️", "²")
KNOWN = WordTokenizer.train([" ".join((*WORDS, *string.punctuation))])

GAPS = st.text(" \t\n", max_size=3)


def pieces_of(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


def rustgpt_split(text: str) -> list[str]:
    """The rule of RustGPT: split at white space, every ASCII punctuation character alone."""
    tokens: list[str] = []
    for chunk in text.split():
        word = ""
        for char in chunk:
            if char in string.punctuation:
                tokens += [word, char] if word else [char]
                word = ""
            else:
                word += char
        tokens += [word] if word else []
    return tokens


@st.composite
def joined(draw: st.DrawFn, pieces: st.SearchStrategy[str]) -> tuple[str, list[tuple[str, int, int]]]:
    """A text of the pieces with any gaps, and the pieces with their places in it."""
    text = draw(GAPS)
    placed: list[tuple[str, int, int]] = []
    drawn = draw(st.lists(pieces, max_size=12))
    for piece, following in pairwise([*drawn, "."]):
        placed.append((piece, len(text), len(text) + len(piece)))
        gap = draw(GAPS)
        glued = piece not in string.punctuation and following not in string.punctuation
        text += piece + (gap or " " * glued)  # two words without a gap would be another word
    return text, placed


@given(joined(st.sampled_from((*WORDS, *string.punctuation))))
def test_known_pieces_with_any_gaps_come_back(drawn: tuple[str, list[tuple[str, int, int]]]) -> None:
    text, placed = drawn
    ids = KNOWN.encode(text)
    assert KNOWN.decode(ids) == text
    assert KNOWN.unknown_id not in ids
    assert [KNOWN.words[i] for i in ids if i >= len(SPECIALS)] == [piece for piece, _, _ in placed]
    assert KNOWN.unknown_spans(text) == []


@given(st.text(string.ascii_letters + string.digits + string.punctuation + " \t\n" + "é雨🌧"))
@example("1.5.2")
@example("1 .5, 2 ,3:4 : 5")
@example("a  .b\n\n( c )\t")
@example("I'm 'fine' - no, well-known -- \"yes\"")
def test_a_text_that_was_trained_on_comes_back(text: str) -> None:
    tokenizer = WordTokenizer.train([text, "word"])
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "I'm doing well, thank you!",
        "The moon orbits in 27.3 days.",
        "Light travels 299,792 kilometers a second.",
        "It is 10:30; the well-known train (see above) leaves.",
        "What? 1,234,567.89!",
        "In May, 1969, there were: 3 of them. 2 came back.",
        "It's 50% off, $5 each: don't wait.",
        "[a] {b} snake_case and/or #1 @home",
        "Mountains, rivers: both.",
    ],
)
def test_ordinary_english_costs_one_token_a_piece(text: str) -> None:
    tokenizer = WordTokenizer.train([text])
    ids = tokenizer.encode(text)
    assert [tokenizer.words[index] for index in ids] == rustgpt_split(text)
    assert min(ids) >= len(SPECIALS)
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.org/a_b?q=1&r=2#top now",
        "me@example.org",
        "x = y*(2+3)**-1;",
        'He said "yes" , then left .',
        "3. 5 and 3 .5 and 3.five",
        "a...b -- c—d",
        "  indented\n\tmore\n\n",
        "{'a': [1, 2]}",
        "C:\\Users\\me",
        " ",
        "\n",
        ".",
        " . ",
    ],
)
def test_unusual_gaps_are_spelled_out(text: str) -> None:
    tokenizer = WordTokenizer.train([text, "word"])
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.unknown_id not in ids
    assert tokenizer.end_id not in ids


def test_an_empty_text_has_no_tokens() -> None:
    assert KNOWN.encode("") == []
    assert KNOWN.decode([]) == ""
    assert KNOWN.unknown_spans("") == []


@pytest.mark.parametrize(
    "source",
    [
        *bundled_corpora(),
        pytest.param(
            RUSTGPT,
            id="rustgpt",
            marks=pytest.mark.skipif(
                not RUSTGPT.is_dir(), reason="RustGPT's training files are not in ../shared/data/rustgpt"
            ),
        ),
    ],
)
def test_every_corpus_comes_back_and_spends_no_tokens_on_gaps(source: str | Path) -> None:
    texts = list(load_corpus(source).texts())
    tokenizer = WordTokenizer.train(texts)
    assert len(texts) > 50
    for text in texts:
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert [tokenizer.words[index] for index in ids] == rustgpt_split(text)
        assert min(ids) >= len(SPECIALS), f"a token is spent on a gap in {text!r}"


@given(st.text())
@example("a\u00a0b\u2003c\r\nd")
@example("¿qué?—«no» ！")  # punctuation, but not ASCII
def test_pieces_are_those_of_rustgpt(text: str) -> None:
    assert pieces_of(text) == rustgpt_split(text)


@given(joined(st.sampled_from(("I", "well", ".", "(", "zzz", "Well", "你好", "🙂", "👩‍🚀", "moon", "²³"))))
def test_unknown_words_are_one_token_each_and_their_places_are_told(
    drawn: tuple[str, list[tuple[str, int, int]]],
) -> None:
    text, placed = drawn
    strange = [(start, end) for piece, start, end in placed if piece not in ("I", "well", ".", "(")]
    ids = KNOWN.encode(text)
    assert KNOWN.unknown_spans(text) == strange
    assert ids.count(KNOWN.unknown_id) == len(strange)
    in_order = [KNOWN.words[i] for i in ids if i >= len(SPECIALS) or i == KNOWN.unknown_id]
    assert in_order == [p if p in ("I", "well", ".", "(") else "<unk>" for p, _, _ in placed]
    assert KNOWN.decode(ids).count("<unk>") == len(strange)


@pytest.mark.parametrize("bracket", "()[]{}<>")
def test_unknown_brackets_are_told(bracket: str) -> None:
    tokenizer = WordTokenizer.train(["a word"])
    text = f"a {bracket} word{bracket}"
    assert tokenizer.unknown_spans(text) == [(2, 3), (8, 9)]
    assert tokenizer.encode(text).count(tokenizer.unknown_id) == 2


def test_an_unknown_word_reads_unk() -> None:
    tokenizer = WordTokenizer.train(["Hello, world!"])
    assert tokenizer.decode(tokenizer.encode("Hello, moon!")) == "Hello, <unk>!"
    assert tokenizer.decode(tokenizer.encode("🙂 你好 world")) == "<unk> <unk> world"


@pytest.mark.parametrize("gap", ["\u00a0", "\u202f", "\r\n", "\u2003", "\x0b", " \u00a0 "])
def test_every_unknown_token_has_a_place(gap: str) -> None:
    text = f"I{gap}well"
    assert KNOWN.encode(text).count(KNOWN.unknown_id) == len(KNOWN.unknown_spans(text))


@given(joined(st.sampled_from((*WORDS, *string.punctuation, "zzz", "你好"))))
def test_the_pieces_cover_the_text(drawn: tuple[str, list[tuple[str, int, int]]]) -> None:
    text, placed = drawn
    pieces = KNOWN.pieces(text)
    assert [piece.id for piece in pieces] == KNOWN.encode(text)
    assert [0, *(piece.end for piece in pieces)] == [*(piece.start for piece in pieces), len(text)]
    words = [
        (piece.shown.strip(), piece.end)
        for piece in pieces
        if piece.shown.strip(" \t\n") and piece.end > piece.start
    ]
    assert words == [(piece, end) for piece, _, end in placed]


def test_a_piece_has_the_gap_that_costs_no_token() -> None:
    shown = [(piece.start, piece.end, piece.shown) for piece in KNOWN.pieces("I'm  well.you\n")]
    assert shown == [
        *((0, 1, "I"), (1, 2, "'"), (2, 3, "m")),
        *((3, 4, " "), (4, 5, " "), (5, 9, "well")),
        *((9, 10, "."), (10, 10, "<join>"), (10, 13, "you"), (13, 14, "\n")),
    ]
    assert [piece.shown for piece in KNOWN.pieces("I well, moon")] == ["I", " well", ",", " moon"]


@pytest.mark.parametrize("text", ["</s>", "<unk>", "<join>", "</s> <unk> <join>", "I</s>", "well <join> you"])
def test_special_tokens_never_come_from_text(text: str) -> None:
    ids = KNOWN.encode(text)
    assert KNOWN.end_id not in ids
    assert KNOWN.unknown_id not in ids
    assert [KNOWN.words[i] for i in ids if i >= len(SPECIALS)] == rustgpt_split(text)
    assert KNOWN.decode(ids) == text

    stranger = WordTokenizer.train(["word"])
    ids = stranger.encode(text)
    assert stranger.end_id not in ids
    assert ids.count(stranger.unknown_id) == len(rustgpt_split(text))


def test_special_tokens_in_the_training_text_get_no_ids_of_their_own() -> None:
    tokenizer = WordTokenizer.train(["word </s> <unk> <join>"])
    assert set(tokenizer.words[len(SPECIALS) :]) == {"word", "<", "/", ">", "s", "unk", "join"}
    assert len({tokenizer.end_id, tokenizer.unknown_id, *tokenizer.encode("word s unk join")}) == 6


@given(st.text())
def test_no_text_ends_a_row(text: str) -> None:
    assert KNOWN.end_id not in KNOWN.encode(text)
    assert KNOWN.end_id not in WordTokenizer.train([text, "word"]).encode(text)


def test_the_end_token_is_not_shown() -> None:
    ids = KNOWN.encode("I m well!")
    assert KNOWN.decode([*ids, KNOWN.end_id]) == "I m well!"
    assert KNOWN.decode([KNOWN.end_id]) == ""


TEXTS = ("The moon pulls the sea.", "Rain falls!", "moon, Moon and MOON", "The end.")


@given(st.permutations(TEXTS))
def test_ids_do_not_depend_on_the_order_of_the_texts(texts: list[str]) -> None:
    assert WordTokenizer.train(texts).to_dict() == WordTokenizer.train(TEXTS).to_dict()


def test_ids_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "from tinychat.tokenizer import WordTokenizer\n"
        f"print(WordTokenizer.train(['{' '.join(TEXTS)}']).encode('{TEXTS[0]}'))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert printed == {str(WordTokenizer.train(TEXTS).encode(TEXTS[0]))}


def test_ids_fill_the_vocabulary() -> None:
    tokenizer = WordTokenizer.train(TEXTS)
    words = {word for text in TEXTS for word in rustgpt_split(text)}
    ids = {word: tokenizer.encode(word) for word in words}
    assert tokenizer.vocab_size == len(words) + len(SPECIALS)
    assert sorted(index for [index] in ids.values()) == list(range(len(SPECIALS), tokenizer.vocab_size))


@pytest.mark.parametrize("texts", [[], [""], [" \n\t", "\u00a0"]])
def test_a_vocabulary_needs_a_word(texts: list[str]) -> None:
    with pytest.raises(CorpusError, match="no words"):
        WordTokenizer.train(texts)


@given(st.lists(st.text(), min_size=1).filter(lambda texts: any(map(str.strip, texts))), st.text())
def test_the_state_survives_json(texts: list[str], other: str) -> None:
    tokenizer = WordTokenizer.train(texts)
    again = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert isinstance(again, WordTokenizer)
    assert again.words == tokenizer.words
    assert (again.end_id, again.unknown_id) == (tokenizer.end_id, tokenizer.unknown_id)
    for text in (*texts, other):
        assert again.encode(text) == tokenizer.encode(text)
        assert again.decode(again.encode(text)) == tokenizer.decode(tokenizer.encode(text))


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"kind": "words", "words": ["a"]},
        {"kind": None, "words": ["a"]},
        {"kind": ["word"], "words": ["a"]},
        {"kind": "word"},
        {"kind": "word", "words": None},
        {"kind": "word", "words": "abc"},
        {"kind": "word", "words": {"a": 1}},
        {"kind": "word", "words": ["a", 1]},
        {"kind": "word", "words": ["a", None]},
        {"kind": "word", "words": [["a"]]},
        {"kind": "word", "words": ["a", ""]},
        {"kind": "word", "words": ["a", " "]},
        {"kind": "word", "words": ["two words"]},
        {"kind": "word", "words": ["line\n"]},
        {"kind": "word", "words": ["it's"]},
        {"kind": "word", "words": [".."]},
        {"kind": "word", "words": ["a", "b", "a"]},
        {"kind": "word", "words": ["</s>"]},
        {"kind": "word", "words": ["a", "<join>"]},
    ],
    ids=repr,
)
def test_a_damaged_state_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(WeightsError) as caught:
        tokenizer_from_dict(state)
    assert "tokenizer" in str(caught.value)
    assert "\n" not in str(caught.value)
