"""Every format is read, and says what it says in every layout."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcomes import MOON_MESSAGES, MOON_TEXT, RAIN_TEXT, Write

from tinychat.corpus import Turn, load_corpus
from tinychat.corpus.readers import LONGEST_LINE

RAIN = (Turn("What is rain?", "Water that falls."),)
MOON = (Turn("What is the moon?", "A rock."), Turn("How far?", "Far, far away."))


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
