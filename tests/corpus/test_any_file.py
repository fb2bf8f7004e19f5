"""Whatever is in a file, it is read as a sound corpus or refused."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from outcomes import MOON_TEXT, RAIN_TEXT, outcome

from tinychat.corpus.readers import SUFFIXES


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


@settings(max_examples=400)
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


@settings(max_examples=150)
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
