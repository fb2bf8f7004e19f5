"""`tinychat inspect`: what is written as JSON, and what is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_runs import Outcome, assert_refused

from tinychat.flags import VIEWS
from tinychat.generation.beam import Beams
from tinychat.generation.sampling import Sampling
from tinychat.inspection import alternatives, attention_maps, embedding_map, logit_lens, nearest_words
from tinychat.weights import load

Call = Callable[..., Outcome]
ASKED = "What falls?"
TOKENS = ["User", ":", "What", "falls", "?", "Assistant", ":"]


# JSON


def test_alternatives_as_json(call: Call, learned: Path) -> None:
    shown = call("inspect", "--load", learned, ASKED, "--json")
    assert (shown.code, shown.err) == (0, "")
    [record] = shown.records
    found = alternatives(load(learned), ASKED)
    assert record.keys() == {"prompt", "answer"}
    assert record["prompt"] == list(found.exchange.prompt_tokens)
    assert [place["token"] for place in record["answer"]] == ["Rain", "falls", ".", "</s>"]
    for number, place in enumerate(record["answer"]):
        assert place["id"] == found.exchange.answer_ids[number]
        assert place["probability"] == found.probability[number]
        assert place["entropy"] == found.entropy[number]
        assert place["rank"] == found.rank[number] == 1
        assert "left" not in place
        assert place["alternatives"] == [
            {"token": token, "id": index, "probability": chance}
            for token, index, chance in zip(
                found.tokens[number],
                found.ids[number].tolist(),
                found.probabilities[number].tolist(),
                strict=True,
            )
        ]
    assert call("inspect", "--load", learned, ASKED, "--alternatives", "--json").out == shown.out


def test_what_a_sampler_cuts_as_json(call: Call, learned: Path) -> None:
    flags = ("--temperature", "2", "--top-k", "2", "--seed", "3", "--json")
    [record] = call("inspect", "--load", learned, ASKED, *flags).records
    reply = load(learned).reply(ASKED, Sampling(temperature=2, top_k=2, seed=3))
    reply.finish()
    assert [place["id"] for place in record["answer"]] == [*reply.ids, reply.tokenizer.end_id]
    for place in record["answer"]:
        assert place["left"] == 2
        first, second = (one["probability"] ** 0.5 for one in place["alternatives"][:2])
        drawn = [one["drawn"] for one in place["alternatives"]]
        np.testing.assert_allclose(drawn, np.array([first, second, 0, 0, 0]) / (first + second), rtol=1e-4)
        assert place["drawn"] == drawn[place["rank"] - 1]
    [record] = call("inspect", "--load", learned, ASKED, "--answer", "Wet.", *flags).records
    assert [place["token"] for place in record["answer"]] == ["<unk>", ".", "</s>"]
    assert record["answer"][0]["drawn"] == 0


def test_the_answer_that_beams_find_as_json(call: Call, learned: Path) -> None:
    flags = ("--beams", "3", "--length-penalty", "9")
    [record] = call("inspect", "--load", learned, ASKED, *flags, "--json").records
    reply = load(learned).reply(ASKED, Beams(3, 9))
    reply.finish()
    assert [place["id"] for place in record["answer"]][: len(reply.ids)] == reply.ids
    assert all("left" not in place for place in record["answer"])


def test_every_view_has_a_flag_and_shows_something_of_its_own(call: Call, learned: Path) -> None:
    words = {"embedding": (), "nearest": ("sun",)}
    shown = [
        call("inspect", "--load", learned, f"--{view}", *words.get(view, (ASKED,)), "--json").records[0]
        for view in VIEWS
    ]
    assert len({frozenset(record) for record in shown}) == len(VIEWS) == 5


def test_the_attention_of_all_heads_as_json(call: Call, headed: Path) -> None:
    [record] = call("inspect", "--load", headed, ASKED, "--answer", "Rain.", "--attention", "--json").records
    assert record["tokens"] == [*TOKENS, "Rain", "."]
    model = load(headed)
    maps = attention_maps(model, model.tokenizer.encode("User: What falls? Assistant: Rain."))
    assert maps.weights.shape == (2, 4, 9, 9)
    assert [(part["layer"], part["head"]) for part in record["maps"]] == [
        (layer, head) for layer in (1, 2) for head in (1, 2, 3, 4)
    ]
    np.testing.assert_array_equal(
        np.float32([part["weights"] for part in record["maps"]]), maps.weights.reshape(8, 9, 9)
    )


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        (("--layer", "2"), [(2, 1), (2, 2), (2, 3), (2, 4)]),
        (("--head", "3"), [(1, 3), (2, 3)]),
        (("--layer", "1", "--head", "4"), [(1, 4)]),
    ],
)
def test_some_heads_as_json(
    call: Call, headed: Path, flags: tuple[str, ...], chosen: list[tuple[int, int]]
) -> None:
    [record] = call("inspect", "--load", headed, ASKED, "--attention", *flags, "--json").records
    assert [(part["layer"], part["head"]) for part in record["maps"]] == chosen


def test_the_lens_as_json(call: Call, learned: Path) -> None:
    [record] = call("inspect", "--load", learned, ASKED, "--lens", "--json").records
    model = load(learned)
    ids = model.tokenizer.encode("User: What falls? Assistant: Rain falls.")
    lens = logit_lens(model, ids)
    assert record["tokens"] == list(lens.tokens)
    assert [layer["layer"] for layer in record["layers"]] == ["embedding", "layer 1", "layer 2", "layer 3"]
    for number, layer in enumerate(record["layers"]):
        assert len(layer["next"]) == len(ids)
        for place, likely in enumerate(layer["next"]):
            assert [one["token"] for one in likely] == list(lens.next_tokens[number][place])
            assert [one["id"] for one in likely] == lens.next_ids[number, place].tolist()
            assert [one["probability"] for one in likely] == lens.probabilities[number, place].tolist()
    [single] = call("inspect", "--load", learned, ASKED, "--lens", "--layer", "2", "--json").records
    assert single["layers"] == record["layers"][2:3]


def test_the_embedding_as_json(call: Call, learned: Path) -> None:
    [record] = call("inspect", "--load", learned, "--embedding", "--json").records
    model = load(learned)
    found = embedding_map(model)
    assert record["explained"] == found.explained.tolist()
    assert [point["id"] for point in record["points"]] == list(range(model.config.vocab_size))
    assert [point["token"] for point in record["points"]] == list(found.tokens)
    assert [[point["x"], point["y"]] for point in record["points"]] == found.points.tolist()
    [some] = call("inspect", "--load", learned, "--embedding", "Snow sun", "--json").records
    assert [point["token"] for point in some["points"]] == ["Snow", "sun"]
    assert all(point in record["points"] for point in some["points"])


def test_neighbours_as_json(call: Call, learned: Path) -> None:
    [record] = call("inspect", "--load", learned, "--nearest", "sun", "--json").records
    found = nearest_words(load(learned), "sun")
    assert (record["token"], record["id"]) == ("sun", found.id)
    assert [near["token"] for near in record["nearest"]] == list(found.tokens)
    assert [near["id"] for near in record["nearest"]] == found.ids.tolist()
    assert [near["similarity"] for near in record["nearest"]] == found.similarity.tolist()


def test_a_model_that_writes_on(call: Call, writer: Path) -> None:
    [record] = call("inspect", "--load", writer, "Snow is", "--json").records
    assert record["prompt"] == ["Snow", "is"]
    assert [place["token"] for place in record["answer"]] == ["frozen", "rain", ".", "</s>"]


def test_what_was_not_read_as_it_was_typed_is_told(call: Call, learned: Path) -> None:
    shown = call("inspect", "--load", learned, "What does Zanzibar?", "--json")
    assert shown.code == 0
    assert "Zanzibar" in shown.err
    assert len(shown.records) == 1
    shown = call("inspect", "--load", learned, ASKED, "--answer", "Wine falls.")
    assert shown.code == 0
    assert shown.err == "tinychat: new to this model, read as <unk> in the answer: Wine\n"


def test_by_name(call: Call, learned: Path) -> None:
    Path("data/models").mkdir(parents=True)
    shutil.copy(learned, "data/models/rain.npz")
    for name in ("rain", "latest"):
        assert call("inspect", "--data-dir", "data", "--load", name, ASKED).code == 0


# Refusals


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((), ("prompt",)),
        (("--attention",), ("prompt",)),
        (("--lens",), ("prompt",)),
        ((" ",), ("empty",)),
        (("--embedding", ""), ("empty",)),
        ((ASKED, "--answer", " "), ("answer", "empty")),
        ((ASKED, "--answer", "falls " * 80), ("80",)),
        ((ASKED, "--layer", "1"), ("--layer",)),
        ((ASKED, "--lens", "--head", "1"), ("--head",)),
        ((ASKED, "--attention", "--layer", "4"), ("--layer", "1 to 3")),
        ((ASKED, "--attention", "--layer", "0"), ("--layer", "1 to 3")),
        ((ASKED, "--lens", "--layer", "0"), ("--layer", "1 to 3")),
        ((ASKED, "--attention", "--head", "2"), ("--head", "1 to 1")),
        ((ASKED, "--attention", "--layer", "-1"), ("--layer",)),
        ((ASKED, "--attention", "--layer", "x"), ("--layer", "x")),
        ((ASKED, "--attention", "--lens"), ("not allowed", "--lens")),
        ((ASKED, "--nearest", "sun"), ("--nearest",)),
        (("--nearest", "sun", "--answer", "Rain."), ("--answer",)),
        (("--embedding", "--answer", "Rain."), ("--answer",)),
        (("--embedding", "--layer", "1"), ("--layer",)),
        (("--nearest", "zebra"), ("zebra",)),
        (("--nearest", "the sun"), ("the|sun",)),
        ((ASKED, "--corpus", "basics"), ("--corpus",)),
        ((ASKED, "--top-k", "2"), ("temperature",)),
        ((ASKED, "--answer", "Rain.", "--beams", "2"), ("--answer", "--beams")),
        (("--nearest", "sun", "--temperature", "1"), ("--temperature",)),
        (("--embedding", "--length-penalty", "1"), ("--length-penalty",)),
    ],
)
def test_what_makes_no_sense_is_refused(
    call: Call, learned: Path, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    assert_refused(call("inspect", "--load", learned, *arguments), 2, *parts)


def test_a_model_is_needed(call: Call) -> None:
    assert_refused(call("inspect", ASKED), 2, "--load")
    assert_refused(call("inspect", "--load", "none.npz", ASKED), 2, "none.npz")


def test_flags_of_inspect_are_not_taken_for_unfinished_ones_of_training(call: Call, learned: Path) -> None:
    """`--attention` begins like `--attention-bias`, which belongs to the program without a command."""
    assert call("inspect", "--load", learned, ASKED, "--attention").code == 0
    assert_refused(call("--attention-bia"), 2, "--attention-bia")
