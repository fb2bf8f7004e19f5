"""`tinychat ask`: answers on standard output, and nothing else there."""

import argparse
import json
from collections.abc import Iterable

from threadpoolctl import threadpool_limits

from tinychat.commands.decoding import chosen
from tinychat.commands.recipe import library
from tinychat.commands.screen import note, shown
from tinychat.commands.standard_input import lines
from tinychat.errors import UsageError
from tinychat.weights import load


def run(args: argparse.Namespace) -> int:
    if any(not prompt.strip() for prompt in args.prompt):
        raise UsageError("the prompt is empty; type a question")
    sampling = chosen(args)
    model = load(library(args).find(args.load))
    with threadpool_limits(limits=1, user_api="blas"):
        for prompt in args.prompt or _lines():
            reply = model.reply(prompt, sampling)
            for unread in reply.notes:
                note(unread)
            answer = reply.finish()
            if "json" in args:
                answer = json.dumps({"prompt": prompt, "answer": answer, "tokens": len(reply.ids)})
            print(shown(answer), flush=True)
    return 0


def _lines() -> Iterable[str]:
    for number, line in enumerate(lines(), start=1):
        if line:
            yield line
        else:
            note(f"line {number} is empty and was skipped")
