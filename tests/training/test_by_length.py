"""Reading rows in parts changes nothing but the time."""

import numpy as np
from tiny_runs import CORPUS, trained

from tinychat.training.batches import to_batch
from tinychat.training.by_length import loss_and_gradients
from tinychat.training.rows import dialogue_row, fact_row


def test_the_gradient_is_that_of_all_rows_together() -> None:
    model = trained()
    rows = [fact_row(fact, model.tokenizer) for fact in CORPUS.facts] * 4
    rows += [dialogue_row(dialogue, model.tokenizer, mask_prompt=True) for dialogue in CORPUS.dialogues]
    transformer = model.transformer
    wanted = transformer.loss_and_gradients(*to_batch(rows))
    grads = transformer.parameters.grads.copy()
    found = loss_and_gradients(transformer, rows)
    assert (found.tokens, found.correct) == (wanted.tokens, wanted.correct)
    np.testing.assert_allclose(found.total, wanted.total, rtol=1e-5)
    np.testing.assert_allclose(transformer.parameters.grads, grads, rtol=1e-3, atol=1e-6)
    assert np.abs(grads).max() > 1e-3
