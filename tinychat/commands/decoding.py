"""From flags to the way in which the next token is chosen."""

import argparse

from tinychat.errors import UsageError
from tinychat.flags import DECODING_FIELDS
from tinychat.generation.beam import Beams
from tinychat.generation.sampling import Sampling

_OF_BEAMS = ("beams", "length_penalty")


def chosen(args: argparse.Namespace) -> Sampling | Beams:
    """Greedy without any flags. Raise UsageError for flags that contradict each other."""
    if "beams" in args:
        for flag in (*DECODING_FIELDS, "seed"):
            if flag in args and flag not in _OF_BEAMS:
                raise UsageError(f"beam search draws nothing; leave out --{flag.replace('_', '-')}")
        penalty = {"length_penalty": args.length_penalty} if "length_penalty" in args else {}
        return Beams(args.beams, **penalty)
    if "length_penalty" in args:
        raise UsageError("--length-penalty compares the answers of a beam search; give --beams too")
    if "seed" in args and not getattr(args, "temperature", 0):
        raise UsageError("--seed starts random draws, and without --temperature there are none; give it too")
    names = (name for name in (*DECODING_FIELDS, "seed") if name in args)
    return Sampling(**{name: getattr(args, name) for name in names})
