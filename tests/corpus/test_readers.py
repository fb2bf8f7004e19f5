"""Every format is read, and every file that cannot be read is refused in one line that says where."""

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tinychat.corpus import Corpus, Turn, load_corpus
from tinychat.corpus.readers import LONGEST_LINE, SUFFIXES
from tinychat.errors import CorpusError

Write = Callable[[str, str | bytes], Path]

RAIN = (Turn("What is rain?", "Water that falls."),)
MOON = (Turn("What is the moon?", "A rock."), Turn("How far?", "Far, far away."))
RAIN_TEXT = "User: What is rain? Assistant: Water that falls."
MOON_TEXT = "User: What is the moon? Assistant: A rock. User: How far? Assistant: Far, far away."
MOON_MESSAGES = [
    {"role": "user", "content": "What is the moon?"},
    {"role": "assistant", "content": "A rock."},
    {"role": "user", "content": "How far?"},
    {"role": "assistant", "content": "Far, far away."},
]


def error_of(path: str | Path) -> str:
    with pytest.raises(CorpusError) as caught:
        load_corpus(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def outcome(path: Path) -> Corpus | None:
    """A corpus that is sound, or None if the file is refused as it should be; anything else fails."""
    try:
        corpus = load_corpus(path)
    except CorpusError:
        error_of(path)
        return None
    texts = [*corpus.facts, *(t for d in corpus.dialogues for turn in d for t in (turn.user, turn.assistant))]
    assert texts
    assert all(corpus.dialogues)
    assert all(text and text == text.strip() for text in texts)
    return corpus


# What is read


def test_txt_is_a_fact_a_line(write: Write) -> None:
    corpus = load_corpus(write("notes.txt", "Rain falls.\n\n  The moon shines. \nLast line"))
    assert corpus.facts == ("Rain falls.", "The moon shines.", "Last line")
    assert corpus.dialogues == ()
    assert corpus.warnings == ()


def test_the_running_text_keeps_its_line_breaks(write: Write) -> None:
    text = "Rain falls.\n\n  The moon shines. \n" + "x" * (LONGEST_LINE + 1)
    corpus = load_corpus(write("notes.txt", text.replace("\n", "\r\n")))
    assert corpus.text == text
    assert len(corpus.facts[-1]) == LONGEST_LINE
    assert load_corpus(write("notes.json", json.dumps(["Rain falls.", RAIN_TEXT]))).text == "Rain falls.\n"
    assert load_corpus(write("chat.txt", RAIN_TEXT)).text == ""


def test_the_running_text_of_a_folder_is_that_of_its_files_in_order(write: Write) -> None:
    write("both/pretraining-1.txt", "Rain falls.\n\n")
    write("both/pretraining-2.txt", "The moon\nshines.\n")
    write("both/chat.txt", RAIN_TEXT)
    folder = write("both/heldout.txt", MOON_TEXT).parent
    assert load_corpus(folder).text == "Rain falls.\n\nThe moon\nshines.\n"


def test_name_and_source_lead_back_to_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("my notes.txt", "Rain falls.")
    monkeypatch.chdir(path.parent)
    corpus = load_corpus("my notes.txt")
    assert corpus.name == "my notes"
    assert corpus.source == str(path.resolve())
    monkeypatch.chdir(Path("/"))
    assert load_corpus(corpus.source) == corpus


def test_json_strings_are_told_by_their_form(write: Write) -> None:
    path = write("mixed.json", json.dumps(["Rain falls.", RAIN_TEXT, "", MOON_TEXT, "User: is a word."]))
    corpus = load_corpus(path)
    assert corpus.facts == ("Rain falls.", "User: is a word.")
    assert corpus.dialogues == (RAIN, MOON)


@pytest.mark.parametrize(
    "item",
    [
        RAIN_TEXT,
        {"user": "What is rain?", "assistant": "Water that falls."},
        {"user": " What is rain?\n", "assistant": "Water that falls. </s>", "id": 7},
        [
            {"role": "user", "content": "What is rain?"},
            {"role": "assistant", "content": "Water that falls.</s>"},
        ],
        {
            "messages": [
                {"role": "user", "content": "What is rain?", "name": "x"},
                {"role": "assistant", "content": "Water that falls."},
            ]
        },
    ],
    ids=["string", "pair", "pair to clean", "message list", "messages"],
)
@pytest.mark.parametrize("name", ["chat.json", "chat.jsonl", "data.json", "data.jsonl"])
def test_every_form_of_a_dialogue(write: Write, name: str, item: object) -> None:
    items = [item, MOON_TEXT, MOON_MESSAGES, {"messages": MOON_MESSAGES}]
    lines = [json.dumps(item) for item in items]
    content = "\n\n".join(lines) + "\n" if name.endswith("l") else "[" + ",\n".join(lines) + "]"
    corpus = load_corpus(write(name, content))
    assert corpus.facts == ()
    assert corpus.dialogues == (RAIN, MOON, MOON, MOON)
    assert corpus.warnings == ()


def test_system_messages_are_left_out_with_one_warning(write: Write) -> None:
    system = {"role": "system", "content": "Be brief."}
    lines = [json.dumps({"messages": [system, *MOON_MESSAGES]})] * 3
    corpus = load_corpus(write("chat.jsonl", "\n".join(lines)))
    assert corpus.dialogues == (MOON,) * 3
    [warning] = corpus.warnings
    assert "chat.jsonl" in warning
    assert "system" in warning


def test_jsonl_strings(write: Write) -> None:
    corpus = load_corpus(write("data.jsonl", f'"Rain falls."\n\n{json.dumps(RAIN_TEXT)}\n'))
    assert corpus.facts == ("Rain falls.",)
    assert corpus.dialogues == (RAIN,)


def test_csv_of_questions_and_answers(write: Write) -> None:
    content = 'Assistant ,id, USER\n"Far, far ""away"".",1,How far?\n"A\nrock.",2,What?\n'
    corpus = load_corpus(write("data.csv", content))
    assert corpus.dialogues == ((Turn("How far?", 'Far, far "away".'),), (Turn("What?", "A\nrock."),))


def test_csv_of_texts(write: Write) -> None:
    content = f'id,text\n1,Rain falls.\n2,"Wind, water and ice."\n3,\n\n4,{RAIN_TEXT}\n'
    corpus = load_corpus(write("data.csv", content))
    assert corpus.facts == ("Rain falls.", "Wind, water and ice.")
    assert corpus.dialogues == (RAIN,)


PAIRS = st.lists(
    st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\r")).filter(str.strip)] * 2).filter(
        lambda pair: not any(text.strip().endswith("</s>") for text in pair)
    ),
    min_size=1,
)


@settings(max_examples=50)
@given(PAIRS)
def test_json_jsonl_and_csv_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("same")
    rows = [{"user": user, "assistant": assistant} for user, assistant in pairs]
    table = io.StringIO()
    writer = csv.DictWriter(table, ["user", "assistant"])
    writer.writeheader()
    writer.writerows(rows)
    contents = {
        "a.json": json.dumps(rows, ensure_ascii=False),
        "a.jsonl": "\n".join(map(json.dumps, rows)),
        "a.csv": table.getvalue(),
    }
    expected = tuple((Turn(user.strip(), assistant.strip()),) for user, assistant in pairs)
    for name, content in contents.items():
        (folder / name).write_bytes(content.encode())
        assert load_corpus(folder / name).dialogues == expected


def test_a_folder_has_both(write: Write) -> None:
    folder = write("both/pretraining.txt", "Rain falls.\n").parent
    write("both/chat.json", json.dumps([RAIN_TEXT]))
    write("both/README.md", "Nothing to train on.")
    write("both/other.txt", "Nothing to train on.")
    corpus = load_corpus(folder)
    assert (corpus.name, corpus.facts, corpus.dialogues) == ("both", ("Rain falls.",), (RAIN,))


def test_a_folder_may_have_several_files_of_a_kind(write: Write) -> None:
    folder = write("many/Pretraining_1.TXT", "One.").parent
    write("many/pretraining_2.json", '["Two."]')
    write("many/chat_1.txt", "User: a\nAssistant: b")
    write("many/CHAT_0.csv", "user,assistant\nc,d")
    corpus = load_corpus(folder)
    assert sorted(corpus.facts) == ["One.", "Two."]
    assert sorted(corpus.dialogues, key=str) == [(Turn("a", "b"),), (Turn("c", "d"),)]


@pytest.mark.parametrize(
    ("name", "content", "facts", "n_dialogues"),
    [("pretraining.jsonl", '"Rain falls."', 1, 0), ("chat.txt", "User: a\nAssistant: b", 0, 1)],
)
def test_either_of_them_is_enough(
    write: Write, name: str, content: str, facts: int, n_dialogues: int
) -> None:
    corpus = load_corpus(write(f"one/{name}", content).parent)
    assert (len(corpus.facts), len(corpus.dialogues)) == (facts, n_dialogues)


def test_pretraining_strings_are_facts_whatever_they_say(write: Write) -> None:
    folder = write("facts/pretraining.json", json.dumps([RAIN_TEXT])).parent
    assert load_corpus(folder).facts == (RAIN_TEXT,)


def test_rustgpt_files_as_they_are(rustgpt: Path) -> None:
    corpus = load_corpus(rustgpt)
    assert len(corpus.facts) == 25
    assert len(corpus.dialogues) == 53
    assert corpus.warnings == ()
    assert corpus.facts[0] == "The sun rises in the east and sets in the west"
    assert corpus.dialogues[1][0].user == "How do mountains form?"
    assert corpus.dialogues[1][0].assistant.startswith("Mountains are formed through tectonic forces")
    assert "</s>" not in "".join(corpus.texts())


def test_rustgpt_files_one_by_one(rustgpt: Path) -> None:
    whole = load_corpus(rustgpt)
    facts = load_corpus(rustgpt / "pretraining_data.json")
    chat = load_corpus(rustgpt / "chat_training_data.json")
    assert (facts.facts, facts.dialogues) == (whole.facts, ())
    assert (chat.facts, chat.dialogues) == ((), whole.dialogues)


@pytest.mark.parametrize("end", ["</s>", " </s>", " </s>  ", "\t</s>"])
def test_end_marks_are_stripped(write: Write, end: str) -> None:
    assert load_corpus(write("a.txt", f"Rain falls.{end}\n{end}\n")).facts == ("Rain falls.",)
    assert load_corpus(write("b.json", json.dumps([f"Rain falls.{end}", end]))).facts == ("Rain falls.",)
    assert load_corpus(write("c.jsonl", json.dumps(f"{RAIN_TEXT}{end}"))).dialogues == (RAIN,)
    assert load_corpus(write("d.csv", f"text\nRain falls.{end}\n")).facts == ("Rain falls.",)
    assert load_corpus(write("chat.txt", f"{RAIN_TEXT}{end}")).dialogues == (RAIN,)
    lines = RAIN_TEXT.replace(" Assistant", f"{end}\nAssistant") + end
    assert load_corpus(write("chat.txt", lines)).dialogues == (RAIN,)


@pytest.mark.parametrize("end", [" </s> ", "</s>"])
def test_end_marks_between_two_turns_are_stripped(write: Write, end: str) -> None:
    text = MOON_TEXT.replace(" User:", f"{end}User:") + end
    assert load_corpus(write("a.json", json.dumps([text]))).dialogues == (MOON,)
    assert load_corpus(write("chat.txt", text)).dialogues == (MOON,)


CONTENTS = {
    "a.txt": "Rain falls.\n\nThe moon shines.\n",
    "chat.txt": "User: a\nUser: b\nAssistant: c\n\nUser: d\nAssistant: e\n",
    "a.json": '[\n"Rain falls.",\n{"user": "a",\n"assistant": "b"}\n]\n',
    "a.jsonl": '"Rain falls."\n\n{"user": "a", "assistant": "b"}\n',
    "a.csv": "user,assistant\na,b\nc,d\n",
    "b.csv": "text\nRain falls.\n",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_line_ends_byte_order_marks_and_capitals_change_nothing(write: Write, name: str) -> None:
    content = CONTENTS[name]
    plain = load_corpus(write(name, content))
    assert plain.facts or plain.dialogues
    for other in (content.replace("\n", "\r\n"), content.replace("\n", "\r"), "\ufeff" + content):
        assert load_corpus(write(name, other)).fingerprint == plain.fingerprint
    assert load_corpus(write(name.upper(), content)).fingerprint == plain.fingerprint


def test_dialogues_in_a_plain_text_are_facts_with_a_warning(write: Write) -> None:
    corpus = load_corpus(write("notes.txt", "User: What is rain?\nAssistant: Water.\n"))
    assert corpus.facts == ("User: What is rain?", "Assistant: Water.")
    assert corpus.dialogues == ()
    [warning] = corpus.warnings
    assert "notes.txt" in warning
    assert "chat.txt" in warning


def test_a_single_file_called_chat_is_a_chat(write: Write) -> None:
    corpus = load_corpus(write("Chat of today.txt", "User: a\nAssistant: b"))
    assert (corpus.facts, corpus.dialogues) == ((), ((Turn("a", "b"),),))


# What is refused: content, and the words that lead to the place

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


def test_wordings_do_not_multiply_without_end(write: Write) -> None:
    error_of(write("chat.txt", "User: a\nUser: b\nAssistant: c\n" * 18))


@contextmanager
def takes_no_time() -> Iterator[None]:
    """Processor time, and far more than the tenths of a second that are needed: what reads anew from the
    beginning at every character takes minutes."""
    start = time.process_time()
    yield
    assert time.process_time() - start < 10


def test_many_spaces_take_no_time(write: Write) -> None:
    path = write("a.json", json.dumps(["User:" + " " * 10_000 + "x"]))
    with takes_no_time():
        assert len(load_corpus(path).facts) == 1


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


# Size


LONG = "word " * 200_000


def test_a_line_without_end_is_cut_with_a_warning(write: Write) -> None:
    path = write("a.txt", LONG + "\nRain falls.\n")
    with takes_no_time():
        corpus = load_corpus(path)
    assert len(corpus.facts) == 2
    assert LONGEST_LINE - 1 <= len(corpus.facts[0]) <= LONGEST_LINE
    assert corpus.facts[1] == "Rain falls."
    [warning] = corpus.warnings
    assert "a.txt" in warning
    assert "cut" in warning


def test_a_line_of_the_longest_length_is_not_cut(write: Write) -> None:
    corpus = load_corpus(write("a.txt", "x" * LONGEST_LINE))
    assert corpus.facts == ("x" * LONGEST_LINE,)
    assert corpus.warnings == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chat.txt", LONG),
        ("chat.txt", f"User: a\nAssistant: {LONG}"),
        ("chat.txt", f"User: {LONG}"),
        ("chat.txt", f"User: a Assistant: {LONG}"),
        ("a.json", f'["{LONG}"]'),
        ("a.json", f'["User: {LONG}"]'),
        ("a.json", "[" + '"a",' * 200_000 + "2]"),
        ("a.json", '["' + LONG),
        ("a.jsonl", f'{{"user": "a", "assistant": "{LONG}"}}'),
        ("a.csv", f"text\n{LONG}"),
        ("a.csv", f'user,assistant\na,"{LONG}'),
        ("a.csv", "text," * 200_000),
    ],
    ids=lambda text: text[:24],
)
def test_a_megabyte_in_a_line_takes_no_time(write: Write, name: str, content: str) -> None:
    path = write(name, content)
    with takes_no_time():
        outcome(path)


# Fuzz


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


NAMES = st.sampled_from([name + suffix for name in ("chat", "data") for suffix in SUFFIXES])
FRAGMENTS = st.sampled_from(
    [
        *("User:", "Assistant:", "User: a\n", "</s>", "a", "1", "-", "é", "🙂"),
        *("\n", "\r\n", " ", "\t", "\0", "\x1c", "\ufeff"),
        *('"', '""', ",", ";", "[", "]", "{", "}", ":", "\\", "\\ud800", "null"),
        *("user", "assistant", "text", "role", "content", "messages"),
        *('{"user":"a","assistant":"b"}', "user,assistant\n"),
    ]
)


@settings(max_examples=200)
@given(NAMES, st.binary())
@example("data.txt", b"\xff")
def test_any_bytes(scratch: Path, name: str, data: bytes) -> None:
    path = scratch / name
    path.write_bytes(data)
    outcome(path)


@settings(max_examples=800)
@given(NAMES, st.lists(FRAGMENTS, max_size=20))
def test_any_text(scratch: Path, name: str, fragments: list[str]) -> None:
    path = scratch / name
    path.write_bytes("".join(fragments).encode())
    outcome(path)


KEYS = st.sampled_from(["user", "assistant", "messages", "role", "content", "text"]) | st.text(max_size=3)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["user", "assistant", "system", RAIN_TEXT, MOON_TEXT, "User:", "</s>"])
)
MESSAGES = st.lists(st.fixed_dictionaries({"role": LEAVES, "content": LEAVES}), max_size=4)
VALUES = st.recursive(
    LEAVES | MESSAGES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)


@settings(max_examples=300)
@given(NAMES.filter(lambda name: ".json" in name), st.lists(VALUES, max_size=4) | VALUES)
def test_any_json(scratch: Path, name: str, value: object) -> None:
    path = scratch / name
    lines = value if isinstance(value, list) and name.endswith("l") else [value]
    path.write_text("\n".join(map(json.dumps, lines)))
    outcome(path)


@settings(max_examples=200)
@given(
    st.sampled_from(["user,assistant", "text", "text,user,assistant"]), st.lists(st.lists(LEAVES, max_size=3))
)
def test_any_table(scratch: Path, header: str, rows: list[list[object]]) -> None:
    table = io.StringIO()
    csv.writer(table).writerows(rows)
    path = scratch / "data.csv"
    path.write_bytes(f"{header}\n{table.getvalue()}".encode(errors="replace"))
    outcome(path)
