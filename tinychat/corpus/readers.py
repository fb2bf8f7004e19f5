"""Readers of .txt, .json, .jsonl and .csv, for a single file or a folder of `pretraining.*` and `chat.*`."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from tinychat.corpus.corpus import Corpus
from tinychat.corpus.dialogue import ASSISTANT, USER, Dialogue, Turn, clean, parse_dialogue, spoken
from tinychat.errors import CorpusError
from tinychat.wording import counted

Role = Literal["facts", "dialogues", "any"]
"""What the strings of a file are: told by the file's name, or, for `any`, by their form."""

SUFFIXES = (".txt", ".json", ".jsonl", ".csv")
LONGEST_LINE = 100_000
"""Characters; what is beyond would be cut at the context anyway."""
MOST_WORDINGS = 1_000
"""Dialogues that one block of a chat.txt can stand for; more is surely a missing empty line."""


def read_path(path: Path, name: str, source: str) -> Corpus:
    """Read a file or a folder; raise CorpusError with the file, the line and what to mend."""
    warnings: list[str] = []
    facts: list[str] = []
    text = ""
    dialogues: dict[str, list[Dialogue]] = {"chat": [], "unknown": [], "heldout": []}
    for file, part in _files(path):
        role: Role = "facts" if part == "pretraining" else "any" if part == "any" else "dialogues"
        found_facts, found_dialogues, found_text = _read_file(file, role, warnings)
        facts += found_facts
        text += found_text
        dialogues[part if part in dialogues else "chat"] += found_dialogues
    if not facts and not dialogues["chat"] and not dialogues["unknown"]:
        raise CorpusError(f"{path} is empty: write at least one sentence or one dialogue into it")
    return Corpus(
        name,
        tuple(facts),
        (*dialogues["chat"], *dialogues["unknown"]),
        source,
        tuple(warnings),
        held_out=tuple(dialogues["heldout"]),
        declines=tuple(dict.fromkeys(turn.assistant for d in dialogues["unknown"] for turn in d)),
        text=text,
    )


_PARTS = ("pretraining", "chat", "unknown", "heldout")


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """Every file, and which part of a corpus it is: a part's name, or `any` for what its form tells."""
    if not path.is_dir():
        if path.suffix.lower() not in SUFFIXES:
            raise CorpusError(f"{path} is not a {', '.join(SUFFIXES)} file; convert it to one of these")
        part = "chat" if path.name.lower().startswith("chat") else "any"
        yield path, "pretraining" if path.suffix.lower() == ".txt" and part == "any" else part
        return
    try:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise CorpusError(f"cannot read the folder {path}: {error.strerror}") from None
    found = [(file, part) for part in _PARTS for file in files if file.name.lower().startswith(part)]
    if not any(part in ("pretraining", "chat") for _, part in found):
        raise CorpusError(f"{path} has no pretraining.* and no chat.* file ({', '.join(SUFFIXES)}); add one")
    yield from found


def _read_file(file: Path, role: Role, warnings: list[str]) -> tuple[list[str], list[Dialogue], str]:
    """Facts, dialogues, and the facts once more as running text."""
    text = _text(file)
    suffix = file.suffix.lower()
    if suffix == ".txt":
        if role == "dialogues":
            return [], _blocks(file, text), ""
        lines = _short_lines(file, text, warnings)
        if any(line.startswith(USER) for line in lines):
            warnings.append(
                f"{file.name} seems to hold dialogues, and is read as plain text; "
                "name it chat.txt to train a chat on it"
            )
        return [fact for line in lines if (fact := clean(line))], [], text
    items = {".json": _json_items, ".jsonl": _jsonl_items, ".csv": _csv_items}[suffix](file, text)
    facts: list[str] = []
    dialogues: list[Dialogue] = []
    for place, item in items:
        if isinstance(item, str):
            item = clean(item)
            dialogue = None if role == "facts" else parse_dialogue(item)
            if dialogue is None and role == "dialogues":
                raise CorpusError(f"{place} is not of the form '{USER} … {ASSISTANT} …'; write it so")
            if dialogue is None and item:
                facts.append(item)
        else:
            dialogue = _dialogue(place, item, warnings)
        if dialogue:
            dialogues.append(dialogue)
    return facts, dialogues, "\n".join([*facts, ""])


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{file} is not UTF-8 text (byte {error.start}); save it in the encoding UTF-8"
        ) from None
    except OSError as error:
        raise CorpusError(f"cannot read {file}: {error.strerror}") from None


def _short_lines(file: Path, text: str, warnings: list[str]) -> list[str]:
    lines = text.split("\n")
    if too_long := sum(len(line) > LONGEST_LINE for line in lines):
        warnings.append(
            f"{file.name}: {counted(too_long, 'line')} had to be cut at {LONGEST_LINE:,} characters; "
            "only as running text, with --windows, long lines stay whole"
        )
    return [line[:LONGEST_LINE] for line in lines]


def _blocks(file: Path, text: str) -> list[Dialogue]:
    """Dialogues of a chat.txt: blocks of `User:` and `Assistant:` lines, an empty line between two blocks.

    Several `User:` lines above one answer are wordings of the same question: each becomes a dialogue.
    """
    dialogues: list[Dialogue] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            block.append((number, clean(line)))
        elif block:
            dialogues += _block(file, block)
            block = []
    return dialogues


def _block(file: Path, lines: list[tuple[int, str]]) -> list[Dialogue]:
    if all(parse_dialogue(line) for _, line in lines):  # whole dialogues, one a line
        return [dialogue for _, line in lines if (dialogue := parse_dialogue(line))]
    dialogues: list[Dialogue] = [()]
    wordings: list[str] = []
    for number, line in lines:
        place = f"{file}, line {number}"
        parts = spoken(line)
        if not parts:
            raise CorpusError(f"{place}: begin the line with '{USER}' or '{ASSISTANT}'")
        for speaker, said in parts:
            if not said:
                raise CorpusError(f"{place}: nothing stands after '{speaker}'; write something there")
            if speaker == USER:
                wordings.append(said)
                continue
            if not wordings:
                raise CorpusError(f"{place}: an answer without a question; put a '{USER}' line above it")
            if len(dialogues) * len(wordings) > MOST_WORDINGS:
                raise CorpusError(f"{place}: too many wordings; put an empty line between two dialogues")
            dialogues = [(*before, Turn(wording, said)) for before in dialogues for wording in wordings]
            wordings = []
    if wordings:
        raise CorpusError(f"{place}: a question without an answer; put an '{ASSISTANT}' line below it")
    return dialogues


def _loads(file: Path, text: str, first_line: int = 1) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{file}, line {first_line + error.lineno - 1}, column {error.colno}"
        raise CorpusError(f"{place}: not JSON ({error.msg}); mend it there") from None
    except ValueError as error:
        raise CorpusError(f"{file}, line {first_line}: cannot be read ({error}); mend it there") from None
    except RecursionError:
        raise CorpusError(f"{file}, line {first_line}: nested too deeply; use a flat list") from None


def _json_items(file: Path, text: str) -> Iterator[tuple[str, Any]]:
    if not text.strip():
        return
    items = _loads(file, text)
    if not isinstance(items, list):
        raise CorpusError(f"{file}: the outermost value must be a list [...] of texts or dialogues")
    yield from ((f"{file}, item {number}", item) for number, item in enumerate(items, start=1))


def _jsonl_items(file: Path, text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{file}, line {number}", _loads(file, line, number)


def _csv_items(file: Path, text: str) -> Iterator[tuple[str, Any]]:
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        columns = [column.strip().lower() for column in reader.fieldnames or ()]
        reader.fieldnames = columns
        if columns and not {"user", "assistant"} <= set(columns) and "text" not in columns:
            raise CorpusError(f"{file}: the first line must name the columns 'user,assistant' or 'text'")
        for row in reader:
            place = f"{file}, line {reader.line_num}"
            if None in row:
                raise CorpusError(f'{place}: more values than columns; put a text with commas in "quotes"')
            yield place, row["text"] or "" if "text" in columns else row
    except csv.Error as error:
        line = reader.reader.line_num
        raise CorpusError(f"{file}, line {line}: not CSV ({error}); mend it there") from None


def _dialogue(place: str, item: Any, warnings: list[str]) -> Dialogue | None:
    """Read `{"user", "assistant"}`, `{"messages": [...]}` or a list of `{"role", "content"}`."""
    if isinstance(item, dict) and "messages" in item:
        item = item["messages"]
    if isinstance(item, dict):
        item = [{"role": role, "content": item.get(role)} for role in ("user", "assistant")]
    if not isinstance(item, list):
        raise CorpusError(f'{place}: use a text, {{"user": …, "assistant": …}}, or a list of messages')
    said: list[str] = []
    for message in item:
        role, content = (
            (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        )
        if role == "system":
            note = f"{place.rpartition(',')[0]}: system messages were left out"
            if note not in warnings:
                warnings.append(note)
            continue
        expected = ("user", "assistant")[len(said) % 2]
        if role != expected or not isinstance(content, str) or not clean(content):
            raise CorpusError(f"{place}: a message of {expected!r} with some text must stand here; mend it")
        said.append(clean(content))
    if not said or len(said) % 2:
        raise CorpusError(f"{place}: the last question has no answer; add an 'assistant' message")
    return tuple(Turn(*pair) for pair in zip(said[::2], said[1::2], strict=True))
