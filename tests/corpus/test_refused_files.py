"""Every file that cannot be read is refused in one line that says where."""

import json
import os
from pathlib import Path

import pytest
from outcomes import MOON_MESSAGES, RAIN_TEXT, Write, error_of, outcome

from tinychat.corpus import load_corpus
from tinychat.corpus.readers import LONGEST_LINE
from tinychat.errors import CorpusError

JSON_TWO = '["fine",\n{"user": "a",\n"assistant": "b"},\n'
BAD: dict[str, tuple[str, str | bytes, list[str]]] = {
    "empty txt": ("a.txt", "", ["empty"]),
    "empty json": ("a.json", "", ["empty"]),
    "empty jsonl": ("a.jsonl", "", ["empty"]),
    "empty csv": ("a.csv", "", ["empty"]),
    "empty chat": ("chat.txt", "", ["empty"]),
    "byte order mark alone": ("a.txt", b"\xef\xbb\xbf", ["empty"]),
    "white space txt": ("a.txt", " \n\t\r\n\u00a0\n", ["empty"]),
    "white space json": ("a.json", " \n\t\n", ["empty"]),
    "white space jsonl": ("a.jsonl", " \n\t\n", ["empty"]),
    "white space csv": ("a.csv", " \n\t\n", []),
    "white space chat": ("chat.txt", " \n\t\n", ["empty"]),
    "end marks alone": ("a.txt", "</s>\n </s>\n", ["empty"]),
    "empty list": ("a.json", "[]", ["empty"]),
    "list of empty texts": ("a.json", '["", " "]', ["empty"]),
    "csv header alone": ("a.csv", "user,assistant\n", ["empty"]),
    "latin-1 txt": ("a.txt", "Café".encode("latin-1"), ["UTF-8", "byte 3"]),
    "latin-1 csv": ("a.csv", "text\nCafé".encode("latin-1"), ["UTF-8", "byte 8"]),
    "utf-16": ("a.txt", "Rain".encode("utf-16"), ["UTF-8"]),
    "cut utf-8": ("a.json", '["Café'.encode()[:-1], ["UTF-8"]),
    "picture": ("chat.txt", b"\x89PNG\r\n\x1a\n\x00\x00", ["UTF-8"]),
    "unclosed list": ("a.json", '[\n"a",\n"b"\n', ["line 4"]),
    "trailing comma": ("a.json", '[\n"a",\n]', ["line 3"]),
    "single quotes": ("a.json", "[\n'a']", ["line 2", "column 1"]),
    "text after the list": ("a.json", "[]\n\n x", ["line 3", "column 2"]),
    "raw line break in a string": ("a.json", '["a\nb"]', ["line 1"]),
    "not json": ("a.json", "Rain falls.", ["line 1"]),
    "jsonl called json": ("a.json", '"a"\n"b"\n', ["line 2"]),
    "json object": ("a.json", '{"user": "a", "assistant": "b"}', ["list"]),
    "json text": ("a.json", '"Rain falls."', ["list"]),
    "json number": ("a.json", "5", ["list"]),
    "json null": ("a.json", "null", ["list"]),
    "broken line": ("a.jsonl", '"a"\n\n{"user": "a"\n', ["line 3", "column 13"]),
    "unclosed string in a line": ("a.jsonl", '"a"\n"b\n', ["line 2"]),
    "json called jsonl": ("a.jsonl", '[\n"a"\n]\n', ["line 1"]),
    "other columns": ("a.csv", "question,answer\na,b\n", ["user,assistant", "first line"]),
    "one column of two": ("a.csv", "user,answer\na,b\n", ["user,assistant", "first line"]),
    "no header": ("a.csv", "What is rain?,Water.\n", ["user,assistant", "first line"]),
    "semicolons": ("a.csv", "user;assistant\na;b\n", ["user,assistant", "first line"]),
    "csv row too short": ("a.csv", "user,assistant\na,b\nc\n", ["line 3"]),
    "csv without an answer": ("a.csv", "user,assistant\na,b\nc, \n", ["line 3"]),
    "csv without a question": ("a.csv", "user,assistant\n,b\n", ["line 2"]),
    "csv chat that is none": ("chat.csv", "text\nRain falls.\n", ["line 2", "User:"]),
    "deep list": ("a.json", "[" * 100_000 + "]" * 100_000, ["deep"]),
    "deep object": ("a.json", '[{"user":' * 50_000, ["deep"]),
    "deep line": ("a.jsonl", '"a"\n' + "[" * 100_000, ["line 2", "deep"]),
    "plain text as a chat": ("chat.txt", "Rain falls.\n", ["line 1", "User:"]),
    "other speaker": ("chat.txt", "User: a\nAssistant: b\n\nUser: a\nBot: b\n", ["line 5", "Assistant:"]),
    "no colon": ("chat.txt", "User a\nAssistant: b\n", ["line 1"]),
    "answer on two lines": ("chat.txt", "User: a\nAssistant: b\nand more\n", ["line 3"]),
    "question without an answer": ("chat.txt", "User: a\nAssistant: b\n\nUser: c\n", ["line 4", "answer"]),
    "last question without an answer": ("chat.txt", "User: a\nAssistant: b\nUser: c\n", ["line 3", "answer"]),
    "answer without a question": ("chat.txt", "User: a\n\nAssistant: b\n", ["line 1", "question"]),
    "answer first": ("chat.txt", "\nAssistant: b\n", ["line 2", "question"]),
    "two answers": ("chat.txt", "User: a\nAssistant: b\nAssistant: c\n", ["line 3", "question"]),
    "empty question": ("chat.txt", "User:\nAssistant: b\n", ["line 1", "User:"]),
    "empty answer": ("chat.txt", "User: a\nAssistant:  \n", ["line 2", "Assistant:"]),
    "answer that is an end mark": ("chat.txt", "User: a\nAssistant: </s>\n", ["line 2"]),
    "chat string without an answer": ("chat.json", '["User: a"]', ["item 1"]),
    "chat string with an empty answer": ("chat.json", '["User: a Assistant: </s>"]', ["item 1"]),
    "chat string with an empty question": ("chat.json", '["User: Assistant: b"]', ["item 1"]),
    "chat fact": ("chat.json", json.dumps([RAIN_TEXT, "Rain falls."]), ["item 2"]),
    "chat empty text": ("chat.jsonl", '""', ["line 1"]),
    "no user": ("a.json", JSON_TWO + '{"assistant": "b"}]', ["item 3"]),
    "no assistant": ("a.json", JSON_TWO + '{"user": "a"}]', ["item 3"]),
    "other keys": ("a.json", JSON_TWO + '{"question": "a", "answer": "b"}]', ["item 3"]),
    "empty object": ("a.json", JSON_TWO + "{}]", ["item 3"]),
    "empty messages": ("a.json", JSON_TWO + "[]]", ["item 3"]),
    "empty question in json": ("a.json", '[{"user": " ", "assistant": "b"}]', ["item 1"]),
    "null answer": ("a.json", '[{"user": "a", "assistant": null}]', ["item 1"]),
    "number as an answer": ("a.json", '[{"user": "a", "assistant": 4}]', ["item 1"]),
    "list as a question": ("a.json", '[{"user": ["a"], "assistant": "b"}]', ["item 1"]),
    "null": ("a.json", '["a", null]', ["item 2"]),
    "number": ("a.json", '["a", 4.5]', ["item 2"]),
    "true": ("a.jsonl", '"a"\ntrue\n', ["line 2"]),
    "not a number": ("a.jsonl", "NaN\n", ["line 1"]),
    "list of texts in a list": ("a.json", '[["a", "b"]]', ["item 1"]),
    "messages that are a text": ("a.jsonl", '{"messages": "a"}', ["line 1"]),
    "messages that are null": ("a.jsonl", '{"messages": null}', ["line 1"]),
    "no messages": ("a.jsonl", '{"messages": []}', ["line 1"]),
    "unknown role": ("a.jsonl", '[{"role": "human", "content": "a"}]', ["line 1", "user"]),
    "role that is a list": ("a.jsonl", '[{"role": ["user"], "content": "a"}]', ["line 1", "user"]),
    "assistant first": ("a.jsonl", '"a"\n[{"role": "assistant", "content": "a"}]', ["line 2", "user"]),
    "user twice": ("a.json", json.dumps([[MOON_MESSAGES[0], MOON_MESSAGES[2]]]), ["item 1", "assistant"]),
    "no content": ("a.jsonl", '[{"role": "user"}]', ["line 1"]),
    "content in parts": ("a.jsonl", '[{"role": "user", "content": [{"text": "a"}]}]', ["line 1"]),
    "unanswered message": ("a.json", json.dumps([MOON_MESSAGES[:3]]), ["item 1", "answer"]),
    "system message alone": ("a.jsonl", '[{"role": "system", "content": "a"}]', ["line 1"]),
    "other suffix": ("a.md", "Rain falls.", [".txt", ".jsonl"]),
    "no suffix": ("corpus", "Rain falls.", [".txt", ".jsonl"]),
    "pdf": ("a.txt.pdf", b"%PDF", [".txt", ".jsonl"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_refused(write: Write, case: str) -> None:
    name, content, words = BAD[case]
    message = error_of(write(name, content))
    for word in words:
        assert word in message.replace(name, "")


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_number_of_very_many_digits_is_refused(write: Write, name: str) -> None:
    error_of(write(name, "[" + "1" * 5000 + "]"))


def test_the_line_is_told_whatever_the_file_is_called(write: Write) -> None:
    path = write("guidelines.json", '[\n"a",\n]')
    assert "line 3" in error_of(path).replace(str(path), "")


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ('user,assistant\na,b\nc,"d\ne,f\n', ("line 3", "line 4")),
        ('text\na\n\n"b"c\nd\n', ("line 4",)),
        (f"text\na\n{'b' * (LONGEST_LINE + 1)}\n", ("line 3",)),
    ],
    ids=["unclosed quote", "quote in the middle", "too long"],
)
def test_the_line_of_broken_csv_is_told(write: Write, content: str, lines: tuple[str, ...]) -> None:
    message = error_of(write("a.csv", content))
    assert any(line in message for line in lines)


@pytest.mark.parametrize(
    "content",
    [
        "text\nRain falls.\nWind, water and ice wear mountains down.\n",
        "user,assistant\na,b\nWhat is rain, then?,Water.\n",
    ],
    ids=["text", "user,assistant"],
)
def test_a_csv_row_with_too_many_values_is_refused(write: Write, content: str) -> None:
    assert "line 3" in error_of(write("a.csv", content))


def test_a_block_of_both_layouts_is_read_rightly_or_refused(write: Write) -> None:
    path = write("chat.txt", "User: Hi! Assistant: Hello!\nUser: How are you?\nAssistant: Fine.\n")
    corpus = outcome(path)
    assert corpus is None or not any("Assistant:" in turn.user for d in corpus.dialogues for turn in d)


def test_errors_in_a_folder_name_the_file(write: Write) -> None:
    folder = write("bad/pretraining.txt", "Rain falls.").parent
    path = write("bad/chat.txt", "User: a\n")
    message = error_of(folder)
    assert str(path) in message
    assert "line 1" in message


@pytest.mark.parametrize("name", ["", "other.txt", "README.md", "chat", "pretraining.md", "sub/chat.txt"])
def test_a_folder_without_the_files_is_refused(write: Write, name: str) -> None:
    folder = write("folder/.keep", "").parent
    if name:
        write(f"folder/{name}", "User: a\nAssistant: b")
    message = error_of(folder)
    assert "pretraining" in message
    assert "chat" in message


def test_a_folder_of_empty_files_is_refused(write: Write) -> None:
    folder = write("folder/pretraining.txt", "\n").parent
    write("folder/chat.txt", "")
    assert "empty" in error_of(folder)


@pytest.mark.parametrize("name", ["missing.txt", "missing", "sub/missing.json"])
def test_a_missing_file_is_refused_with_the_names_there_are(tmp_path: Path, name: str) -> None:
    message = error_of(tmp_path / name)
    assert "basics" in message


@pytest.mark.parametrize("source", ["", "no such corpus", "Basics ", "a\0b", "../basics/nothing", "~/x y z"])
def test_a_missing_name_is_refused(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError):
        load_corpus(source)


@pytest.mark.parametrize(
    "source",
    ["What causes rain? " * 30, "a/" * 3000, "~nobody-of-this-name/corpus"],
    ids=["long name", "long path", "unknown home"],
)
def test_what_cannot_be_a_path_is_refused(source: str) -> None:
    with pytest.raises(CorpusError):
        load_corpus(source)


@pytest.mark.parametrize("name", ["chat.txt", "pretraining.json"])
def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "corpus" / name).mkdir(parents=True)
    with pytest.raises(CorpusError, match="cannot read") as caught:
        load_corpus(tmp_path / "corpus")
    assert name in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this user may read every file")
def test_a_file_without_permission_is_refused(write: Write) -> None:
    path = write("a.txt", "Rain falls.")
    path.chmod(0)
    assert "cannot read" in error_of(path)
