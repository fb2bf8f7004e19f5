"""What several tests of the training share."""

import pytest
from tiny_runs import CORPUS

from tinychat.tokenizer import WordTokenizer
from tinychat.training import partner as module
from tinychat.training import partner_link
from tinychat.training.partner import Partner


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> list[Partner]:
    """Those that there were so far. They start at once."""
    monkeypatch.setattr(partner_link, "START_AFTER_S", 0.0)
    monkeypatch.setattr(module, "n_cores", lambda: 2)
    found: list[Partner] = []
    enter = Partner.__enter__
    monkeypatch.setattr(Partner, "__enter__", lambda self: (found.append(self), enter(self))[1])
    return found


@pytest.fixture
def tokenizer() -> WordTokenizer:
    return WordTokenizer.train(CORPUS.texts())
