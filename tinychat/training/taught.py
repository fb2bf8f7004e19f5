"""What a model was taught after its training, among the dialogues of its corpus."""

from collections.abc import Sequence

import numpy as np

from tinychat.corpus import Dialogue, Turn
from tinychat.training.rewordings import Rewordings, plain


def contradicted(
    turn: Turn, dialogues: Sequence[Dialogue], declines: Sequence[str], rewordings: Rewordings
) -> list[Dialogue]:
    """The dialogues that are wrong if `turn` is right; `rewordings` are those of its question.

    If one of them has the same question, its answer is wrong now, and so it is to other wordings. Nor may
    nearly the same question be a don't-know any more.
    """
    wanted, declined = plain(turn.user), set(declines)
    same = [dialogue for dialogue in dialogues if plain(dialogue[0].user) == wanted]
    wrong = {dialogue[0].assistant for dialogue in same} - {*declined, turn.assistant}

    def is_wrong(first: Turn) -> bool:
        if plain(first.user) == wanted:
            return True
        if first.assistant in wrong:
            return rewordings.is_about_the_same(first.user)
        return first.assistant in declined and rewordings.is_nearly_the_same(first.user)

    return [dialogue for dialogue in dialogues if is_wrong(dialogue[0])]


def with_taught(
    dialogues: Sequence[Dialogue], taught: Sequence[Turn], declines: Sequence[str], rng: np.random.Generator
) -> list[Dialogue]:
    """The dialogues without what is wrong now, and each of `taught` in as many wordings as an answer has.

    The first wording is the one that was taught.
    """
    found = list(dialogues)
    for turn in taught:
        rewordings = Rewordings(turn.user, found)
        n_wordings = max(1, round(len(found) / max(1, len({dialogue[-1].assistant for dialogue in found}))))
        gone = set(contradicted(turn, found, declines, rewordings))
        drawn = [rewordings.draw(rng) for _ in range(n_wordings - 1)]
        found = [dialogue for dialogue in found if dialogue not in gone]
        found += [(Turn(wording, turn.assistant),) for wording in (turn.user, *drawn)]
    return found
