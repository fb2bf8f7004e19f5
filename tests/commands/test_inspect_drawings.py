"""`tinychat inspect`: what is drawn."""

import re
from collections.abc import Callable
from pathlib import Path

from cli_runs import Outcome

from tinychat.inspection import alternatives, attention_maps, embedding_map, logit_lens, nearest_words
from tinychat.weights import load

Call = Callable[..., Outcome]
ASKED = "What falls?"
TOKENS = ["User", ":", "What", "falls", "?", "Assistant", ":"]


def test_alternatives_are_drawn(call: Call, learned: Path) -> None:
    shown = call("inspect", "--load", learned, ASKED, "--answer", "Snow falls.")
    assert (shown.code, shown.err) == (0, "")
    head, *lines = shown.out.splitlines()
    assert head.split() == ["written", "entropy", "could", "be"]
    found = alternatives(load(learned), ASKED, "Snow falls.")
    first = [line for line in lines if re.match(r"\d", line)]
    assert [line.split()[:2] for line in first] == [["0", "Snow"], ["1", "falls"], ["2", "."], ["3", "</s>"]]
    assert first[0].split()[2:4] == [f"{found.entropy[0]:.2f}", "nats"]
    assert first[0].split()[4:6] == [found.tokens[0][0], f"{found.probabilities[0, 0]:.1%}"]
    assert "Rain" in first[0]
    assert sum(">" in line for line in lines) == 4, "each token that was written is marked once"
    shown_of = (found.probabilities >= 0.001).sum(axis=1) + (found.rank > 5)
    assert len(lines) == shown_of.clip(1).sum(), "what is all but impossible is not worth a line"
    assert "━" in first[0]
    assert "\x1b" not in shown.out


def test_a_token_far_behind_is_told_with_its_rank(call: Call, learned: Path) -> None:
    answer = "clouds from shines"
    found = alternatives(load(learned), ASKED, answer)
    assert max(found.rank) > 5
    out = call("inspect", "--load", learned, ASKED, "--answer", answer).out
    for rank, token in zip(found.rank, found.exchange.answer_tokens, strict=True):
        if rank > 5:
            assert re.search(rf"> {rank}\. +{re.escape(token)} ", out)


def test_what_a_sampler_cuts_is_drawn(call: Call, learned: Path) -> None:
    flags = ("--temperature", "2", "--top-k", "2", "--answer", "clouds from shines")
    [record] = call("inspect", "--load", learned, ASKED, *flags, "--json").records
    head, *lines = call("inspect", "--load", learned, ASKED, *flags).out.splitlines()
    assert head.split() == ["written", "entropy", "could", "be", "drawn", "left"]
    firsts = [line for line in lines if re.match(r"\d", line)]
    for line, place in zip(firsts, record["answer"], strict=True):
        likeliest = place["alternatives"][0]
        figures = f"{likeliest['probability']:.1%} {likeliest['drawn']:.1%} 2".replace("100.0%", "100%")
        assert figures in " ".join(line.split())
    cut = [line for line in lines if re.search(r" cut\b", line)]
    assert len(cut) == sum(
        (place["rank"] > 5)
        + sum(one["drawn"] == 0 and one["probability"] >= 0.001 for one in place["alternatives"])
        for place in record["answer"]
    )
    assert cut


def test_attention_is_drawn(call: Call, learned: Path) -> None:
    shown = call("inspect", "--load", learned, ASKED, "--attention", "--layer", "2")
    assert (shown.code, shown.err) == (0, "")
    title, *lines = shown.out.splitlines()
    assert title.startswith("attention in layer 2 of 3, its one head")
    model = load(learned)
    maps = attention_maps(model, model.tokenizer.encode("User: What falls? Assistant: Rain falls."))
    rows = lines[1:11]
    assert lines[0].split() == [str(number) for number in range(10)]
    for t, row in enumerate(rows):
        assert row.split()[:2] == [str(t), maps.tokens[t]]
        weights = maps.weights[1, 0, t, : t + 1]
        cells = row[16 : 16 + 2 * (t + 1)]
        assert cells[::2] == cells[1::2]
        for weight, shade in zip(weights, cells[::2], strict=True):
            assert shade == " ░▒▓█"[round(4 * min(float(weight) ** 0.5, 1))]
        strongest = int(weights.argmax())
        assert row.endswith(f"{strongest} {maps.tokens[strongest]}")
        assert row[16 + 2 * (t + 1) : 36].strip() == "", "nothing is drawn behind a token's own place"
    assert lines[11] == "shades begin at ░ 2%, ▒ 14%, ▓ 39%, █ 77%"


def test_which_attention_is_told(call: Call, headed: Path) -> None:
    def title(*flags: str) -> str:
        return call("inspect", "--load", headed, ASKED, "--attention", *flags).out.partition(":")[0]

    assert title() == "attention in layer 2 of 2, mean of 4 heads"
    assert title("--layer", "1", "--head", "2") == "attention in layer 1 of 2, head 2 of 4"


def test_heads_are_drawn_as_they_are_and_in_the_mean(call: Call, headed: Path) -> None:
    model = load(headed)
    ids = model.tokenizer.encode("User: What falls? Assistant: Rain.")
    weights = attention_maps(model, ids).weights
    for flags, expected in (((), weights[1].mean(axis=0)), (("--layer", "1", "--head", "4"), weights[0, 3])):
        out = call("inspect", "--load", headed, ASKED, "--answer", "Rain.", "--attention", *flags).out
        for t, row in enumerate(out.splitlines()[2:11]):
            assert f"{expected[t].max():5.1%}" in row or "100%" in row


def test_the_lens_is_drawn(call: Call, learned: Path) -> None:
    shown = call("inspect", "--load", learned, ASKED, "--lens")
    head, *lines = shown.out.splitlines()
    assert head.split() == ["read", "embedding", "layer", "1", "layer", "2", "layer", "3"]
    assert [line.split()[1] for line in lines] == [*TOKENS, "Rain", "falls", "."]
    assert [line.split()[-1] for line in lines][6:] == ["Rain", "falls", ".", "</s>"]


def test_one_layer_of_the_lens_is_drawn(call: Call, learned: Path) -> None:
    title, _, *lines = call("inspect", "--load", learned, ASKED, "--lens", "--layer", "3").out.splitlines()
    assert title == "behind layer 3, the next token would be"
    lens = logit_lens(
        load(learned), load(learned).tokenizer.encode("User: What falls? Assistant: Rain falls.")
    )
    for place, line in enumerate(lines):
        wanted = [token.replace("\n", "\\n") for token in lens.next_tokens[-1][place]]
        assert line.split()[3::2] == wanted


def test_the_map_of_the_embedding_is_drawn(call: Call, learned: Path) -> None:
    shown = call("inspect", "--load", learned, "--embedding")
    *lines, last = shown.out.splitlines()
    found = embedding_map(load(learned))
    assert last.startswith(f"{len(found.tokens)} tokens; {found.explained[0]:.1%} of their variance")
    assert len(lines) == 24
    assert sum(token in shown.out for token in found.tokens) > len(found.tokens) / 2
    farthest = found.tokens[int((found.points**2).sum(axis=1).argmax())]
    assert farthest in shown.out, "names are placed from the rim inwards"


def test_the_words_of_a_prompt_stand_where_they_are(call: Call, learned: Path) -> None:
    *lines, _ = call("inspect", "--load", learned, "--embedding", "Snow sun").out.splitlines()
    assert set("".join(lines).replace("Snow", "").replace("sun", "")) <= {" ", "·"}
    found = embedding_map(load(learned))
    x, y = found.points[found.tokens.index("Snow")]
    low, high = found.points.min(axis=0), found.points.max(axis=0)
    [(row, line)] = [(row, line) for row, line in enumerate(lines) if "Snow" in line]
    assert row == round((high[1] - y) / (high[1] - low[1]) * 23)
    assert abs(line.index("Snow") - round((x - low[0]) / (high[0] - low[0]) * 99)) <= 4


def test_neighbours_are_drawn(call: Call, learned: Path) -> None:
    head, *lines = call("inspect", "--load", learned, "--nearest", "sun").out.splitlines()
    assert head.split() == ["nearest", "to", "sun"]
    found = nearest_words(load(learned), "sun")
    assert [line.split()[:2] for line in lines] == [
        [token if token.strip() else "␣", f"{similarity:.3f}"]
        for token, similarity in zip(map(escaped, found.tokens), found.similarity, strict=True)
    ]


def escaped(token: str) -> str:
    return token.replace("\n", "\\n").replace("\t", "\\t")
