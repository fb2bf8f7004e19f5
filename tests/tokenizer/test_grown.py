"""A tokenizer that learns more keeps every id that it gave."""

import pytest

from tinychat.config import TOKENIZERS
from tinychat.tokenizer import tokenizer_from_dict, train_tokenizer

OLD, NEW = "Rain falls from the clouds, and rain falls.", "Dogs bark; dogs bark: ß 雨"


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_the_new_is_known_and_the_old_stays(kind: str) -> None:
    old = train_tokenizer(kind, [OLD])
    new = old.grown(NEW)
    assert new.encode(OLD) == old.encode(OLD)
    assert new.unknown_spans(NEW) == []
    assert new.decode(new.encode(NEW)) == NEW
    assert new.grown(f"{NEW} {OLD}").vocab_size == new.vocab_size
    assert tokenizer_from_dict(new.to_dict()).encode(NEW) == new.encode(NEW)
    assert old.to_dict() == train_tokenizer(kind, [OLD]).to_dict()
