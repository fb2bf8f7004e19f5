"""A conversation as a file: nothing of it is lost, and nothing of what is there already."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tinychat.corpus import Turn, load_corpus
from tinychat.errors import StorageError, UsageError
from tinychat.generation.transcript import export, to_json_lines, to_markdown

TURNS = (
    Turn("What is rain?", "Water."),
    Turn("Why?", "It is *heavy*, <i>and</i> falls_down; `so` # 1 \\ [x]."),
)
said = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def test_markdown_has_two_paragraphs_a_turn() -> None:
    assert to_markdown(TURNS).split("\n\n") == [
        "**User:** What is rain?",
        "**Assistant:** Water.",
        "**User:** Why?",
        "**Assistant:** It is \\*heavy\\*, \\<i\\>and\\</i\\> falls\\_down; \\`so\\` \\# 1 \\\\ \\[x\\].\n",
    ]


def test_lines_stay_lines_and_begin_no_list() -> None:
    turn = Turn("Two things:\n- rain\n2. snow", "A\n\n   # B\r\n===\n")
    assert to_markdown([turn]) == (
        "**User:** Two things:\\\n\\- rain\\\n2\\. snow\n\n**Assistant:** A\\\n\\\n\\# B\\\n\\===\n"
    )


def shown_by_markdown(text: str) -> list[str]:
    """The paragraphs that a reader sees; fails if there is anything but paragraphs."""
    tokens = MarkdownIt("commonmark").parse(text)
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    return [
        "".join("\n" if part.type == "hardbreak" else part.content for part in token.children or ())
        for token in tokens
        if token.type == "inline"
    ]


odd = st.text("ab 1.)-+=*_`#>~|&;$!:[]<>/\\\t\n", min_size=1, max_size=24).filter(str.strip)


@settings(max_examples=300)
@given(odd, odd)
def test_a_reader_of_markdown_sees_what_was_typed(user: str, assistant: str) -> None:
    said, answered = (
        "\n".join(line.strip() for line in text.strip().split("\n")) for text in (user, assistant)
    )
    turns = [Turn(user, assistant)]
    assert shown_by_markdown(to_markdown(turns)) == [f"User: {said}", f"Assistant: {answered}"]
    assert shown_by_markdown(to_markdown(turns, is_chat=False)) == [f"{said} {answered}"]


def test_a_text_that_was_written_on_is_one_paragraph() -> None:
    turns = [Turn("Rain falls", " from clouds."), Turn("The sun", "melts.")]
    assert to_markdown(turns, is_chat=False) == "**Rain falls** from clouds.\n\n**The sun** melts.\n"
    lines = to_json_lines(turns, is_chat=False).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"prompt": "Rain falls", "completion": " from clouds."},
        {"prompt": "The sun", "completion": "melts."},
    ]


@given(st.lists(st.tuples(said, said), min_size=1, max_size=4))
def test_json_lines_lose_nothing(pairs: list[tuple[str, str]]) -> None:
    text = to_json_lines([Turn(*pair) for pair in pairs])
    assert text.count("\n") == 1
    messages = json.loads(text)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * len(pairs)
    assert [message["content"] for message in messages] == [part for pair in pairs for part in pair]


def test_what_was_exported_is_a_corpus(tmp_path: Path) -> None:
    path = export(TURNS, tmp_path / "chat.jsonl")
    assert load_corpus(path).dialogues == (TURNS,)


@pytest.mark.parametrize("name", ["talk.md", "talk.MD", "talk.jsonl"])
def test_the_suffix_says_the_format(tmp_path: Path, name: str) -> None:
    path = export(TURNS, str(tmp_path / name))
    assert path == tmp_path / name
    wanted = to_json_lines(TURNS) if name.endswith("jsonl") else to_markdown(TURNS)
    assert path.read_bytes() == wanted.encode()


@pytest.mark.parametrize("name", ["talk", "talk.txt", ".md", "talk.md.gz"])
def test_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.md or \.jsonl"):
        export(TURNS, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = export(TURNS[:1], tmp_path / "talk.md")
    with pytest.raises(UsageError, match="there already"):
        export(TURNS, path)
    assert path.read_text(encoding="utf-8") == to_markdown(TURNS[:1])


def test_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ask something first"):
        export([], tmp_path / "talk.md")
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "regular").write_bytes(b"")
    for place in (tmp_path / "regular" / "talk.md", tmp_path / "no" / "talk.md"):
        with pytest.raises(StorageError, match="cannot write"):
            export(TURNS, place)


def test_half_a_character_does_not_stop_the_export(tmp_path: Path) -> None:
    path = export([Turn("What?", "\ud83d")], tmp_path / "talk.md")
    assert path.read_text(encoding="utf-8").endswith("**Assistant:** ?\n")
