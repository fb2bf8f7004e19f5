"""A tokenizer for a corpus: which of its words become tokens."""

from collections import Counter

from tinychat.corpus import Corpus
from tinychat.tokenizer import Tokenizer, WordTokenizer, train_tokenizer
from tinychat.tokenizer.bpe import VOCAB_SIZE
from tinychat.tokenizer.word import words_of

ENOUGH = 10
"""Wordings of a question from which one can do without a word that is in none of the others."""


def tokenizer_for(corpus: Corpus, kind: str, vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """A new tokenizer that knows the corpus, of words all but the superfluous ones.

    Raise what `train_tokenizer` raises.
    """
    if kind == "word":
        return WordTokenizer.train(corpus.texts(), without=superfluous_words(corpus))
    return train_tokenizer(kind, corpus.texts(), vocab_size)


def superfluous_words(corpus: Corpus) -> frozenset[str]:
    """Words that stand once in the whole corpus, in one of many questions with the same answer.

    What they mean cannot be learnt from that place, and the question is understood without them. Read as
    unknown words, they teach instead what an unknown word is worth (Dyer et al. 2015, section 3.2), and the
    output layer, whose work grows with the vocabulary, does not compute what is never said.
    """
    uses = Counter(word for text in corpus.texts() for word in words_of(text))
    turns = [turn for dialogue in corpus.dialogues for turn in dialogue]
    wordings = Counter(turn.assistant for turn in turns)
    return frozenset(
        word
        for turn in turns
        if wordings[turn.assistant] > ENOUGH
        for word in words_of(turn.user)
        if uses[word] == 1
    )
