"""`tinychat ask`: the answer alone on standard output, and remarks on the prompt beside it."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cli_runs import ANSWERS, Outcome, assert_refused

from tinychat.weights import load, save

Call = Callable[..., Outcome]

UNKNOWN = [
    pytest.param("[bold]What[/bold] falls?", "[, bold, ], /", id="brackets"),
    pytest.param("[/]", "[, /, ]", id="a closing tag alone"),
    pytest.param("😀 What falls? 🧑‍🚀", "😀, 🧑‍🚀", id="emoji"),
    pytest.param("山はどうやって？", "山はどうやって？", id="CJK"),
    pytest.param("hail hail fog", "hail, fog", id="each once"),
    pytest.param("</s> <unk>", "<, /, s, >, unk", id="names of special tokens"),
    pytest.param("{prompt} %s \\n", "{, prompt, }, %, s, \\, n", id="placeholders"),
]


def test_the_answer_alone(call: Call, learned: Path) -> None:
    for question, answer in ANSWERS.items():
        assert call("ask", "--load", learned, question) == Outcome(0, f"{answer}\n", "")


def test_an_answer_a_prompt_in_their_order(call: Call, learned: Path) -> None:
    questions = [*reversed(ANSWERS), "What falls?"]
    asked = call("ask", "--load", learned, *questions)
    assert asked == Outcome(0, "".join(f"{ANSWERS[question]}\n" for question in questions), "")


def test_how_much_white_space_is_in_a_question_means_nothing(call: Call, learned: Path) -> None:
    for prompt in ("  What falls?\n", "What\nfalls?", "What \t falls?"):
        assert call("ask", "--load", learned, prompt) == Outcome(0, "Rain falls.\n", "")


def test_flags_may_stand_behind_the_prompt(call: Call, learned: Path) -> None:
    assert call("ask", "What falls?", "--load", learned).out == "Rain falls.\n"
    assert call("ask", "--load", learned, "--", "What falls?").out == "Rain falls.\n"


def test_json_has_prompt_answer_and_tokens(call: Call, learned: Path) -> None:
    asked = call("ask", "--load", learned, "--json", *ANSWERS)
    assert (asked.code, asked.err) == (0, "")
    tokenizer = load(learned).tokenizer
    assert asked.records == [
        {"prompt": question, "answer": answer, "tokens": len(tokenizer.encode(answer))}
        for question, answer in ANSWERS.items()
    ]


@pytest.mark.parametrize(("prompt", "words"), UNKNOWN)
def test_unknown_words_are_named_on_stderr(call: Call, learned: Path, prompt: str, words: str) -> None:
    plain = call("ask", "--load", learned, prompt)
    assert plain.code == 0
    assert plain.err == f"tinychat: new to this model, read as <unk>: {words}\n"
    as_json = call("ask", "--load", learned, "--json", prompt)
    assert as_json.err == plain.err
    [record] = as_json.records
    assert record["prompt"] == prompt
    assert plain.out == record["answer"] + "\n"


def test_words_read_as_others_are_named_on_stderr(call: Call, learned: Path) -> None:
    asked = call("ask", "--load", learned, "what FALLS fals faals?")
    assert asked.err.splitlines() == [
        "tinychat: read as What (what), falls (FALLS), falls (faals)",
        "tinychat: new to this model, read as <unk>: fals",
    ]
    assert asked.out == call("ask", "--load", learned, "What falls fals falls?").out


@pytest.mark.parametrize("n_words", [1, 55, 56, 57, 60, 76, 79, 80, 81, 200, 5000])
def test_a_prompt_longer_than_the_context_is_told_and_answered(
    call: Call, learned: Path, n_words: int
) -> None:
    """A quarter of the 80 tokens is kept free for the answer; `User:` and `Assistant:` are four more."""
    asked = call("ask", "--load", learned, "--json", " ".join(["Rain"] * n_words))
    assert asked.code == 0
    [record] = asked.records
    assert record["tokens"] <= 79
    n_dropped = n_words + 4 - 60
    if n_dropped > 0:
        assert asked.err.count("\n") == 1
        assert f"read without the first {n_dropped}" in asked.err
    else:
        assert asked.err == ""


def test_a_question_at_the_end_of_a_long_prompt_is_what_is_answered(call: Call, learned: Path) -> None:
    asked = call("ask", "--load", learned, "Rain " * 500 + "What falls?")
    assert asked.out == load(learned).ask("Rain " * 1000 + "What falls?") + "\n"
    assert "context" in asked.err


@pytest.mark.parametrize("prompt", ["", " ", "\n\t", "\u3000"])
def test_an_empty_prompt(call: Call, learned: Path, prompt: str) -> None:
    assert_refused(call("ask", "--load", learned, prompt), 2, "empty")
    assert_refused(call("ask", "--load", learned, "What falls?", prompt), 2, "empty")


def test_a_model_that_was_only_pretrained_writes_on(call: Call, writer: Path) -> None:
    assert call("ask", "--load", writer, "Rain falls") == Outcome(0, "from clouds.\n", "")
    assert call("ask", "--load", writer, "The sun melts") == Outcome(0, "the snow.\n", "")


@pytest.mark.parametrize("name", ["rain", "rain.npz", "latest"])
def test_by_name(call: Call, learned: Path, name: str) -> None:
    Path("data/models").mkdir(parents=True)
    shutil.copy(learned, "data/models/rain.npz")
    asked = call("ask", "--data-dir", "data", "--load", name, "What falls?")
    assert asked == Outcome(0, "Rain falls.\n", "")
    assert call("--data-dir", "data", "ask", "--load", name, "What falls?") == asked


def test_weights_without_an_optimiser(call: Call, learned: Path) -> None:
    save(replace(load(learned), optimizer=None), "bare.npz")
    assert call("ask", "--load", "bare.npz", "What falls?") == Outcome(0, "Rain falls.\n", "")


def test_prompts_from_standard_input(call: Call, learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b"What falls?\r\n\n   \n  Who shines?  \nWhat [x] melts?"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines), encoding="utf-8"))
    asked = call("ask", "--load", learned, "--json")
    assert asked.code == 0
    assert [record["prompt"] for record in asked.records] == [
        "What falls?",
        "Who shines?",
        "What [x] melts?",
    ]
    assert [record["answer"] for record in asked.records][:2] == ["Rain falls.", "The sun."]
    first, second, third = asked.err.splitlines()
    assert "line 2" in first
    assert "line 3" in second
    assert third.endswith(": [, x, ]")


def test_a_prompt_on_the_command_line_leaves_standard_input_alone(
    call: Call, learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.BytesIO(b"What melts?\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stdin, encoding="utf-8"))
    assert call("ask", "--load", learned, "What falls?").out == "Rain falls.\n"
    assert stdin.tell() == 0


def test_what_is_asked_first_does_not_change_what_comes_next(call: Call, learned: Path) -> None:
    alone = [call("ask", "--load", learned, prompt).out for prompt in ("melts?", "Rain", "Who shines?")]
    assert call("ask", "--load", learned, "melts?", "Rain", "Who shines?").out == "".join(alone)


def test_json_is_ascii_and_so_survives_every_encoding(call: Call, learned: Path) -> None:
    asked = call("ask", "--load", learned, "--json", "山 😀 Größe")
    assert asked.out.isascii()
    assert json.loads(asked.out)["prompt"] == "山 😀 Größe"


# How the next token is chosen


def test_a_temperature_draws_and_a_seed_repeats(call: Call, learned: Path) -> None:
    def asked(*flags: str) -> str:
        done = call("ask", "--load", learned, "What falls?", *flags)
        assert (done.code, done.err) == (0, "")
        return done.out

    drawn = [asked("--temperature", "4", "--seed", seed) for seed in ("0", "1", "2")]
    assert len(set(drawn)) == 3
    assert asked("--temperature", "4") == drawn[0]
    assert asked("--temperature", "4", "--seed", "2") == drawn[2]
    assert call("--seed", "2", "ask", "--load", learned, "What falls?", "--temperature", "4").out == drawn[2]
    for narrow in (("--top-k", "1"), ("--top-p", "0.0001"), ("--min-p", "1")):
        assert asked("--temperature", "4", *narrow) == "Rain falls.\n"
    assert asked("--temperature", "0.01") == asked("--beams", "4") == "Rain falls.\n"


def test_every_prompt_is_answered_as_alone(call: Call, learned: Path) -> None:
    flags = ("--temperature", "4", "--seed", "5")
    alone = [call("ask", "--load", learned, prompt, *flags).out for prompt in ANSWERS]
    assert call("ask", "--load", learned, *ANSWERS, *flags).out == "".join(alone)


def test_a_penalty_changes_what_is_said_twice(call: Call, writer: Path) -> None:
    usual = call("ask", "--load", writer, "--json", "Rain falls").records[0]["answer"]
    assert usual == "from clouds."
    flags = ("--repetition-penalty", "0.001")
    [record] = call("ask", "--load", writer, "--json", "Rain falls", *flags).records
    assert record["answer"] != usual
    words = record["answer"].split()
    assert words[0] == "from"
    assert len(set(words)) < len(words)  # a penalty below 1 is a reward


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--temperature", "-1"], ["temperature", "at least 0"]),
        (["--temperature", "nan"], ["temperature"]),
        (["--temperature", "hot"], ["--temperature"]),
        (["--top-k", "3"], ["temperature"]),
        (["--top-p", "0.9"], ["temperature"]),
        (["--min-p", "0.1"], ["temperature"]),
        (["--temperature", "1", "--top-k", "-3"], ["--top-k"]),
        (["--temperature", "1", "--top-p", "0"], ["top_p", "above 0"]),
        (["--temperature", "1", "--min-p", "2"], ["min_p", "at most 1"]),
        (["--repetition-penalty", "0"], ["repetition_penalty", "above 0"]),
        (["--beams", "0"], ["beams", "at least 1"]),
        (["--beams", "4", "--length-penalty", "-1"], ["length_penalty", "at least 0"]),
        (["--beams", "4", "--temperature", "1"], ["beam search draws nothing", "--temperature"]),
        (["--beams", "4", "--repetition-penalty", "2"], ["--repetition-penalty"]),
        (["--beams", "4", "--seed", "2"], ["--seed"]),
        (["--length-penalty", "1"], ["--beams"]),
        (["--seed", "-1"], ["--seed"]),
    ],
    ids=lambda value: " ".join(value) if value[0].startswith("--") else None,
)
def test_flags_that_make_no_sense(call: Call, learned: Path, flags: list[str], parts: list[str]) -> None:
    assert_refused(call("ask", "--load", learned, "What falls?", *flags), 2, *parts)
    assert_refused(call("chat", "--load", learned, *flags), 2, *parts)
