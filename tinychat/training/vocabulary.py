"""A tokenizer for a corpus: which of its words become tokens."""

from collections import Counter

from tinychat.corpus import Corpus
from tinychat.tokenizer import Tokenizer, WordTokenizer, train_tokenizer
from tinychat.tokenizer.bpe import VOCAB_SIZE
from tinychat.tokenizer.word import words_of

ENOUGH = 10
"""More questions than these with the same answer can do without a word that few of them have."""
SELDOM = 2
"""Places in the corpus at which nobody learns what a word means."""


def tokenizer_for(corpus: Corpus, kind: str, vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """A new tokenizer that knows the corpus, of words all but the superfluous ones.

    Raise what `train_tokenizer` raises.
    """
    if kind == "word":
        return WordTokenizer.train(corpus.texts(), without=superfluous_words(corpus))
    return train_tokenizer(kind, corpus.texts(), vocab_size)


def superfluous_words(corpus: Corpus) -> frozenset[str]:
    """Words that stand at SELDOM places at most in the whole corpus, in questions that are one of many alike.

    What they mean can hardly be learnt there, and the questions are understood without them. Read as unknown
    words, they teach instead what an unknown word is worth (Dyer et al. 2015, section 3.2), and the output
    layer, whose work grows with the vocabulary, does not compute what is never said.
    """
    turns = [turn for dialogue in corpus.dialogues for turn in dialogue]
    wordings = Counter(turn.assistant for turn in turns)
    places = Counter(
        word for turn in turns if wordings[turn.assistant] > ENOUGH for word in words_of(turn.user)
    )
    if not places:
        return frozenset()
    uses = Counter(word for text in corpus.texts() for word in words_of(text))
    return frozenset(word for word, n in places.items() if n == uses[word] <= SELDOM)
