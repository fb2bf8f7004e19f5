"""`tinychat inspect`: what is drawn, what is written as JSON, and what is refused."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import Outcome, assert_refused, spawn
from rich.text import Text

import tinychat
from tinychat.inspection import alternatives, attention_maps, embedding_map, logit_lens, nearest_words
from tinychat.weights import load

Call = Callable[..., Outcome]
ASKED = "What falls?"
TOKENS = ["User", ":", "What", "falls", "?", "Assistant", ":"]


@pytest.fixture(scope="module")
def headed(kept_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with 2 layers of 4 heads that has learnt next to nothing."""
    model = tinychat.train(kept_corpus, preset="modern", pretrain_epochs=1, tune_epochs=1, workers=1)
    return model.save(tmp_path_factory.mktemp("models") / "headed.npz")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`terminal(width, **variables)`: from here on, standard output is one of 256 colours."""

    def become(width: int, **variables: str) -> None:
        settings = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "", "COLUMNS": str(width)}
        for name, value in {**settings, **variables}.items():
            monkeypatch.setenv(name, value)

    return become


def plain(out: str) -> list[str]:
    """Lines without colours."""
    return Text.from_ansi(out).plain.splitlines()


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


def test_the_attention_of_all_heads_as_json(call: Call, headed: Path) -> None:
    [record] = call("inspect", "--load", headed, ASKED, "--answer", "Rain.", "--attention", "--json").records
    assert record["tokens"] == [*TOKENS, "Rain", "."]
    model = load(headed)
    maps = attention_maps(model, model.tokenizer.encode("User: What falls? Assistant: Rain."))
    assert maps.weights.shape == (2, 4, 9, 9)
    assert [(part["layer"], part["head"]) for part in record["maps"]] == [
        (layer, head) for layer in range(2) for head in range(4)
    ]
    np.testing.assert_array_equal(
        np.float32([part["weights"] for part in record["maps"]]), maps.weights.reshape(8, 9, 9)
    )


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        (("--layer", "1"), [(1, 0), (1, 1), (1, 2), (1, 3)]),
        (("--head", "2"), [(0, 2), (1, 2)]),
        (("--layer", "0", "--head", "3"), [(0, 3)]),
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
    assert [layer["layer"] for layer in record["layers"]] == ["embedding", "block 0", "block 1", "block 2"]
    for number, layer in enumerate(record["layers"]):
        assert len(layer["next"]) == len(ids)
        for place, likely in enumerate(layer["next"]):
            assert [one["token"] for one in likely] == list(lens.next_tokens[number][place])
            assert [one["id"] for one in likely] == lens.next_ids[number, place].tolist()
            assert [one["probability"] for one in likely] == lens.probabilities[number, place].tolist()
    [single] = call("inspect", "--load", learned, ASKED, "--lens", "--layer", "1", "--json").records
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


# Drawings on a pipe


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


def test_attention_is_drawn(call: Call, learned: Path) -> None:
    shown = call("inspect", "--load", learned, ASKED, "--attention", "--layer", "1")
    assert (shown.code, shown.err) == (0, "")
    title, *lines = shown.out.splitlines()
    assert title.startswith("attention in layer 1 of 3, its one head")
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

    assert title() == "attention in layer 1 of 2, mean of 4 heads"
    assert title("--layer", "0", "--head", "2") == "attention in layer 0 of 2, head 2 of 4"


def test_heads_are_drawn_as_they_are_and_in_the_mean(call: Call, headed: Path) -> None:
    model = load(headed)
    ids = model.tokenizer.encode("User: What falls? Assistant: Rain.")
    weights = attention_maps(model, ids).weights
    for flags, expected in (((), weights[1].mean(axis=0)), (("--layer", "0", "--head", "3"), weights[0, 3])):
        out = call("inspect", "--load", headed, ASKED, "--answer", "Rain.", "--attention", *flags).out
        for t, row in enumerate(out.splitlines()[2:11]):
            assert f"{expected[t].max():5.1%}" in row or "100%" in row


def test_the_lens_is_drawn(call: Call, learned: Path) -> None:
    shown = call("inspect", "--load", learned, ASKED, "--lens")
    head, *lines = shown.out.splitlines()
    assert head.split() == ["read", "embedding", "block", "0", "block", "1", "block", "2"]
    assert [line.split()[1] for line in lines] == [*TOKENS, "Rain", "falls", "."]
    assert [line.split()[-1] for line in lines][6:] == ["Rain", "falls", ".", "</s>"]


def test_one_layer_of_the_lens_is_drawn(call: Call, learned: Path) -> None:
    title, _, *lines = call("inspect", "--load", learned, ASKED, "--lens", "--layer", "2").out.splitlines()
    assert title == "behind block 2, the next token would be"
    lens = logit_lens(
        load(learned), load(learned).tokenizer.encode("User: What falls? Assistant: Rain falls.")
    )
    for place, line in enumerate(lines):
        assert line.split()[3::2] == list(lens.next_tokens[-1][place])


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


def test_a_model_that_writes_on(call: Call, writer: Path) -> None:
    [record] = call("inspect", "--load", writer, "Snow is", "--json").records
    assert record["prompt"] == ["Snow", "is"]
    assert [place["token"] for place in record["answer"]] == ["frozen", "rain", ".", "</s>"]


def test_what_was_not_read_as_it_was_typed_is_told(call: Call, learned: Path) -> None:
    shown = call("inspect", "--load", learned, "What does Zanzibar?", "--json")
    assert shown.code == 0
    assert "Zanzibar" in shown.err
    assert len(shown.records) == 1


def test_by_name(call: Call, learned: Path) -> None:
    Path("data/models").mkdir(parents=True)
    shutil.copy(learned, "data/models/rain.npz")
    for name in ("rain", "latest"):
        assert call("inspect", "--data-dir", "data", "--load", name, ASKED).code == 0


# Terminals

VIEWS: dict[str, tuple[str, ...]] = {
    "alternatives": (ASKED,),
    "attention": (ASKED, "--attention"),
    "lens": (ASKED, "--lens"),
    "one layer": (ASKED, "--lens", "--layer", "0"),
    "embedding": ("--embedding",),
    "nearest": ("--nearest", "sun"),
}
every_view = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)


@every_view
@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_nothing_is_wider_than_the_terminal(
    call: Call, learned: Path, terminal: Callable[..., None], view: tuple[str, ...], width: int
) -> None:
    terminal(width)
    shown = call("inspect", "--load", learned, *view)
    assert (shown.code, shown.err) == (0, "")
    lines = plain(shown.out)
    assert len(lines) >= 10
    assert max(map(len, lines)) <= width


@every_view
def test_no_colour_is_no_colour(
    call: Call, learned: Path, terminal: Callable[..., None], view: tuple[str, ...]
) -> None:
    terminal(100, NO_COLOR="1")
    out = call("inspect", "--load", learned, *view).out
    colours = re.findall(r"\x1b\[([\d;]*)m", out)
    assert {part for codes in colours for part in codes.split(";")} <= {"", "0", "1", "2"}, "bold and dim"
    monochrome = plain(out)
    terminal(100)
    assert "\x1b[" in call("inspect", "--load", learned, *view).out or view == ("--embedding",)
    if "--attention" in view:
        assert any("█" in line for line in monochrome)


def test_colours_grow_with_the_weights(learned: Path) -> None:
    """The brighter the more, and no colour behind a token's own place."""
    env = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "100"}
    out = spawn("inspect", "--load", learned, ASKED, "--attention", env=env).out
    model = load(learned)
    weights = attention_maps(
        model, model.tokenizer.encode("User: What falls? Assistant: Rain falls.")
    ).weights
    assert "░" not in out
    rows = [line for line in out.splitlines() if "48;2;" in line]
    assert len(rows) == 10
    for t, row in enumerate(rows):
        cells = Text.from_ansi(row)
        reds = []
        for s in range(t + 1):
            colour = cells.get_style_at_offset(_console(), 16 + 2 * s).bgcolor
            assert colour is not None
            assert colour.triplet is not None
            reds.append(colour.triplet.red)
        expected = 38 + 217 * weights[-1, 0, t, : t + 1] ** 0.5
        np.testing.assert_allclose(reds, expected, atol=0.51)
        assert cells.get_style_at_offset(_console(), 16 + 2 * (t + 1)).bgcolor is None


def _console() -> Any:
    from rich.console import Console

    return Console()


def test_columns_that_do_not_fit_are_told(call: Call, learned: Path, terminal: Callable[..., None]) -> None:
    terminal(20)
    lines = plain(call("inspect", "--load", learned, ASKED, "--attention").out)
    assert "columns 0 to 5 do not fit" in " ".join(line.strip() for line in lines)
    terminal(60)  # each of the four columns of the lens is 18 wide
    assert "2 layers more do not fit" in plain(call("inspect", "--load", learned, ASKED, "--lens").out)[-2]


def test_ascii_alone(learned: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii"}
    shown = spawn("inspect", "--load", learned, ASKED, "--attention", env=env)
    assert (shown.code, shown.err) == (0, "")
    assert "##" in shown.out
    assert "shades begin at . 2%" in shown.out
    assert "?" not in shown.out.replace("  4 ?", "").replace("4 ?", "")


def test_text_of_a_corpus_cannot_give_orders(call: Call, tmp_path: Path) -> None:
    """No markup, no escapes, no line breaks from the vocabulary."""
    corpus = tmp_path / "odd.txt"
    corpus.write_text("[bold]x[/bold] \x1b[31mred\x07 月 a\tb\n[/] [red]\n", encoding="utf-8")
    model = tinychat.train(corpus, tokenizer="char", pretrain_epochs=1)
    model.save("odd.npz")
    for view in (
        ("[bold]", "--answer", "[/] \x1b月"),
        ("--embedding",),
        ("--nearest", "月"),
        ("[", "--lens"),
    ):
        shown = call("inspect", "--load", "odd.npz", *view)
        assert shown.code == 0
        assert "\x1b" not in shown.out
        assert "\x07" not in shown.out
    assert "\\x1b" in call("inspect", "--load", "odd.npz", "[", "--answer", "\x1b").out


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
        ((ASKED, "--layer", "0"), ("--layer",)),
        ((ASKED, "--lens", "--head", "0"), ("--head",)),
        ((ASKED, "--attention", "--layer", "3"), ("--layer", "0 to 2")),
        ((ASKED, "--attention", "--head", "1"), ("--head", "0 to 0")),
        ((ASKED, "--attention", "--layer", "-1"), ("--layer",)),
        ((ASKED, "--attention", "--layer", "x"), ("--layer", "x")),
        ((ASKED, "--attention", "--lens"), ("not allowed", "--lens")),
        ((ASKED, "--nearest", "sun"), ("--nearest",)),
        (("--nearest", "sun", "--answer", "Rain."), ("--answer",)),
        (("--embedding", "--answer", "Rain."), ("--answer",)),
        (("--embedding", "--layer", "0"), ("--layer",)),
        (("--nearest", "zebra"), ("zebra",)),
        (("--nearest", "the sun"), ("the|sun",)),
        ((ASKED, "--corpus", "basics"), ("--corpus",)),
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
