"""`tinychat inspect`: what goes on inside a model, drawn or as JSON."""

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from threadpoolctl import threadpool_limits

from tinychat.commands.decoding import chosen
from tinychat.commands.drawings import draw_alternatives, draw_lens, draw_neighbours
from tinychat.commands.heat_map import draw_attention
from tinychat.commands.recipe import library
from tinychat.commands.scatter import draw_embedding
from tinychat.commands.screen import console, note
from tinychat.drawing.text import layer_name
from tinychat.errors import UsageError
from tinychat.flags import DECODING_FIELDS, VIEWS
from tinychat.generation.beam import Beams
from tinychat.generation.sampling import Sampling
from tinychat.inspection import (
    Exchange,
    alternatives,
    attention_maps,
    embedding_map,
    exchange,
    exchange_of,
    logit_lens,
    nearest_words,
)
from tinychat.inspection.alternatives import draws_of
from tinychat.model import Model
from tinychat.weights import load

_LAYERED = ("attention", "lens")
"""Views of which a part can be chosen by its layer."""


def run(args: argparse.Namespace) -> int:
    name = next((name for name in VIEWS if name in args), "alternatives")
    _check_flags(args, name)
    sampling = chosen(args)
    model = load(library(args).find(args.load))
    layer = _numbered(args, "layer", model.config.n_layers)
    head = _numbered(args, "head", model.config.n_heads)
    with threadpool_limits(limits=1, user_api="blas"):
        if name == "nearest":
            found = _nearest(model, args.nearest)
        elif name == "embedding":
            found = _embedding(model, getattr(args, "prompt", None))
        else:
            said = _said(model, args, sampling)
            for unread in said.notes:
                note(unread)
            if name == "attention":
                found = _attention(model, said, layer, head)
            elif name == "lens":
                found = _lens(model, said, layer)
            else:
                found = _alternatives(model, said, sampling)
    record, draw = found
    if "json" in args:
        print(json.dumps(record))
    else:
        draw()
    return 0


_Found = tuple[dict[str, Any], Callable[[], None]]
"""What is found, ready for JSON, and what draws it."""


def _check_flags(args: argparse.Namespace, view: str) -> None:
    if view == "nearest" and "prompt" in args:
        raise UsageError("--nearest takes one word, and no prompt beside it; leave the prompt out")
    if view not in ("nearest", "embedding") and "prompt" not in args:
        raise UsageError("say what the model is to be asked: give a prompt")
    if view in ("nearest", "embedding"):
        for name in ("answer", "seed", *DECODING_FIELDS):
            if name in args:
                raise UsageError(f"--{view} looks at the words alone; leave out --{name.replace('_', '-')}")
    if "answer" in args and "beams" in args:
        raise UsageError("--beams searches for an answer; leave out --answer, or look at that")
    if view not in _LAYERED and "layer" in args:
        raise UsageError("--layer chooses a part of --attention or --lens; leave it out")
    if view != "attention" and "head" in args:
        raise UsageError("--head chooses a part of --attention; leave it out")


def _numbered(args: argparse.Namespace, name: str, count: int) -> int | None:
    """Index of the layer or head that a flag chooses; users count from 1."""
    number: int | None = getattr(args, name, None)
    if number is None:
        return None
    if not 1 <= number <= count:
        raise UsageError(f"the model has {name}s 1 to {count}; give --{name} one of these")
    return number - 1


def _said(model: Model, args: argparse.Namespace, sampling: Sampling | Beams) -> Exchange:
    if "answer" in args:
        return exchange(model, args.prompt, args.answer)
    reply = model.reply(args.prompt, sampling)
    reply.finish()
    return exchange_of(reply)


def _alternatives(model: Model, said: Exchange, sampling: Sampling | Beams) -> _Found:
    found = alternatives(model, said, distribution=draws_of(sampling))
    places = []
    for place, (index, text) in enumerate(zip(said.answer_ids, said.answer_tokens, strict=True)):
        could_be = _likely(found.ids[place], found.tokens[place], found.probabilities[place])
        record = {
            **_token(index, text),
            "probability": float(found.probability[place]),
            "rank": int(found.rank[place]),
            "entropy": float(found.entropy[place]),
            "alternatives": could_be,
        }
        if found.sampled is not None:
            record |= {
                "drawn": float(found.sampled.probability[place]),
                "left": int(found.sampled.left[place]),
            }
            for one, chance in zip(could_be, found.sampled.probabilities[place].tolist(), strict=True):
                one["drawn"] = chance
        places.append(record)
    return {"prompt": said.prompt_tokens, "answer": places}, lambda: draw_alternatives(console(), found)


def _attention(model: Model, said: Exchange, layer: int | None, head: int | None) -> _Found:
    maps = attention_maps(model, said.read)
    layers = range(len(maps.weights)) if layer is None else (layer,)
    heads = range(model.config.n_heads) if head is None else (head,)
    record = {
        "tokens": maps.tokens,
        "maps": [
            {"layer": i + 1, "head": h + 1, "weights": maps.weights[i, h].tolist()}
            for i in layers
            for h in heads
        ],
    }
    return record, lambda: draw_attention(console(), maps, layer, head)


def _lens(model: Model, said: Exchange, layer: int | None) -> _Found:
    lens = logit_lens(model, said.read)
    chosen = range(len(lens.next_ids)) if layer is None else (layer + 1,)
    layers = [
        {
            "layer": layer_name(row),
            "next": [
                _likely(*place)
                for place in zip(
                    lens.next_ids[row], lens.next_tokens[row], lens.probabilities[row], strict=True
                )
            ],
        }
        for row in chosen
    ]
    return {"tokens": lens.tokens, "layers": layers}, lambda: draw_lens(console(), lens, layer)


def _embedding(model: Model, prompt: str | None) -> _Found:
    found = embedding_map(model)
    named = None if prompt is None else set(model.tokenizer.encode(prompt))
    if named is not None and not named:
        raise UsageError("the prompt is empty; name words, or leave it out")
    points = [
        {**_token(index, text), "x": x, "y": y}
        for index, (text, (x, y)) in enumerate(zip(found.tokens, found.points.tolist(), strict=True))
        if named is None or index in named
    ]
    record = {"explained": found.explained.tolist(), "points": points}
    return record, lambda: draw_embedding(console(), found, named)


def _nearest(model: Model, word: str) -> _Found:
    found = nearest_words(model, word)
    near = zip(found.ids.tolist(), found.tokens, found.similarity.tolist(), strict=True)
    record = {
        **_token(found.id, found.token),
        "nearest": [{**_token(index, text), "similarity": similarity} for index, text, similarity in near],
    }
    return record, lambda: draw_neighbours(console(), found)


def _token(index: int, text: str) -> dict[str, Any]:
    return {"token": text, "id": int(index)}


def _likely(ids: Sequence[int], tokens: Sequence[str], chances: Sequence[float]) -> list[dict[str, Any]]:
    return [
        {**_token(index, text), "probability": float(chance)}
        for index, text, chance in zip(ids, tokens, chances, strict=True)
    ]
