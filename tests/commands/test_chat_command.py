"""`tinychat chat` in a pipe: answers on standard output, everything else beside it."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import ANSWERS, Call, Outcome, assert_refused

from tinychat.commands.chat import HELP
from tinychat.corpus import load_corpus
from tinychat.generation.reply import Reply
from tinychat.weights import load

Chat = Callable[..., Outcome]


@pytest.fixture
def chat(call: Call, monkeypatch: pytest.MonkeyPatch) -> Chat:
    """`chat(path, lines, flags)` -> what came of the conversation."""

    def chat(path: Path, lines: str | bytes, *flags: str) -> Outcome:
        given = lines if isinstance(lines, bytes) else lines.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="ascii"))
        return call("chat", "--load", path, *flags)

    return chat


# A pipe


def test_an_answer_a_line_and_nothing_else(chat: Chat, learned: Path) -> None:
    given = "What falls?\r\n\n  Who shines?  \nWhat melts?"
    assert chat(learned, given) == Outcome(0, "Rain falls.\nThe sun.\nSnow melts.\n", "")


def test_no_input_at_all(chat: Chat, learned: Path) -> None:
    assert chat(learned, "") == Outcome(0, "", "")


def test_quit_ends_it(chat: Chat, learned: Path) -> None:
    assert chat(learned, "What falls?\n/quit\nWho shines?\n") == Outcome(0, "Rain falls.\n", "")


def test_a_model_that_was_only_pretrained_writes_on(chat: Chat, writer: Path) -> None:
    assert chat(writer, "Rain falls\nThe sun melts\n") == Outcome(0, "from clouds.\nthe snow.\n", "")


def test_regenerate_and_edit_answer_in_place_of_the_last(chat: Chat, learned: Path) -> None:
    done = chat(learned, "What falls?\n/regenerate\n/edit Who shines?\n/export talk.jsonl\n")
    assert (done.code, done.out) == (0, "Rain falls.\nRain falls.\nThe sun.\n")
    assert done.err.splitlines() == [
        "tinychat: the likeliest words do not change; start with --temperature to get others",
        "tinychat: written to talk.jsonl",
    ]
    [dialogue] = map(json.loads, Path("talk.jsonl").read_text(encoding="utf-8").splitlines())
    assert [message["content"] for message in dialogue["messages"]] == ["Who shines?", "The sun."]


def test_what_is_exported_can_be_learnt(chat: Chat, learned: Path) -> None:
    done = chat(learned, "".join(f"{question}\n" for question in ANSWERS) + "/export chat.jsonl\n")
    assert done.code == 0
    [dialogue] = load_corpus("chat.jsonl").dialogues
    assert {turn.user: turn.assistant for turn in dialogue} == ANSWERS


def test_markdown(chat: Chat, learned: Path) -> None:
    chat(learned, "What falls?\nWho shines?\n/export talk.md\n")
    assert Path("talk.md").read_text(encoding="utf-8") == (
        "**User:** What falls?\n\n**Assistant:** Rain falls.\n\n"
        "**User:** Who shines?\n\n**Assistant:** The sun.\n"
    )


def test_clear_forgets(chat: Chat, learned: Path) -> None:
    done = chat(learned, "What falls?\n/clear\n/export talk.md\n")
    assert done.err == "tinychat: there is no answer to export yet; ask something first\n"
    assert done.code == 2
    assert not Path("talk.md").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/nonsense", "no command is called '/nonsense'; /help"),
        ("/", "no command is called '/'"),
        ("/regenerate", "nothing was asked yet"),
        ("/edit What?", "nothing was asked yet"),
        ("/continue", "no answer was stopped"),
        ("/export talk.md", "no answer to export yet"),
        ("/export", "/export FILE.md"),
        ("/export talk.txt", "end its name with .md or .jsonl"),
    ],
)
def test_what_cannot_be_done_is_told_and_the_talk_goes_on(
    chat: Chat, learned: Path, line: str, words: str
) -> None:
    done = chat(learned, f"{line}\nWhat falls?\n")
    assert (done.code, done.out) == (2, "Rain falls.\n")
    assert done.err.startswith("tinychat: ")
    assert words in done.err
    assert done.err.count("\n") == 1


def test_an_empty_edit_takes_nothing_back(chat: Chat, learned: Path) -> None:
    done = chat(learned, "What falls?\n/edit \n/export talk.jsonl\n")
    assert "empty" in done.err
    assert "Rain falls." in Path("talk.jsonl").read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_to(chat: Chat, learned: Path, nowhere: Path) -> None:
    done = chat(learned, f"What falls?\n/export {nowhere / 'talk.md'}\n")
    assert done.code == 1
    assert "cannot write" in done.err


def test_help_names_every_command(chat: Chat, learned: Path) -> None:
    done = chat(learned, "/help\n")
    assert (done.code, done.out) == (0, "")
    assert done.err == "".join(f"tinychat: {line}\n" for line in HELP.splitlines())
    for name in ("regenerate", "edit", "continue", "export", "clear", "quit"):
        assert f"/{name}" in done.err


def test_two_slashes_ask_with_one(chat: Chat, learned: Path) -> None:
    done = chat(learned, "//help\n")
    assert done.out == load(learned).ask("/help") + "\n"
    assert "read as <unk>: /" in done.err


def test_input_that_is_not_utf8(chat: Chat, learned: Path) -> None:
    done = chat(learned, b"What falls?\n\xff\xfe\n")
    assert done.code == 2
    assert "UTF-8" in done.err


def test_input_is_utf8_whatever_the_system_says(chat: Chat, learned: Path) -> None:
    assert "read as <unk>: 雨" in chat(learned, "雨\n").err


# Flags


def test_flags_choose_the_words(chat: Chat, call: Call, learned: Path) -> None:
    flags = ("--temperature", "3", "--seed", "4")
    drawn = chat(learned, "What falls?\n", *flags)
    assert drawn == call("ask", "--load", learned, "What falls?", *flags)
    assert drawn.out != "Rain falls.\n"
    other = chat(learned, "What falls?\n/regenerate\n", *flags)
    assert other.err == ""
    assert other.out.startswith(drawn.out)
    assert other.out != drawn.out * 2


@pytest.mark.parametrize("flags", [["--beams", "3"], ["--temperature", "1", "--top-k", "1"]], ids=str)
def test_other_ways_to_the_same_answer(chat: Chat, learned: Path, flags: list[str]) -> None:
    assert chat(learned, "What falls?\n", *flags).out == "Rain falls.\n"


def test_there_is_no_json(call: Call, learned: Path) -> None:
    assert_refused(call("chat", "--load", learned, "--json"), 2, "--json")
    assert_refused(call("chat"), 2, "--load")


def test_control_c_ends_a_talk_that_nobody_types(
    chat: Chat, learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reply, "__iter__", interrupted)
    done = chat(learned, "What falls?\nWho shines?\n")
    assert (done.code, done.out, done.err) == (130, "", "tinychat: interrupted\n")


def interrupted(_: Reply) -> None:
    raise KeyboardInterrupt
