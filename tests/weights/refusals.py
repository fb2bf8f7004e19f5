"""Whether a file is refused: by a WeightsError of one line, and by no other error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import archives
import pytest

from tinychat import weights
from tinychat.errors import WeightsError

Refuse = Callable[..., None]
"""The fixture of that name: change the members of a good file, and see that the result is refused."""
GAIN, WEIGHT, MOMENT = "parameters/norm1.0.gain.npy", "parameters/attention.1.w_qkv.npy", "optimizer/v.npy"
AVERAGE = "training/average.npy"
some_array = pytest.mark.parametrize("name", [GAIN, WEIGHT, MOMENT, AVERAGE])


def assert_refused(path: Path, match: str = ".", summary_too: bool = True) -> None:
    for read in (weights.load, weights.read_summary) if summary_too else (weights.load,):
        with pytest.raises(WeightsError, match=match) as caught:
            read(path)
        assert_in_a_line(str(caught.value), path)


def assert_in_a_line(message: str, path: Path) -> None:
    assert str(path) in message
    assert len(message.splitlines()) == 1
    assert len(message) < len(str(path)) + 1000


def refusal(path: Path, read: Callable[[Path], object] = weights.load) -> str | None:
    """What is wrong with the file; None if it can be read. Any error but a WeightsError comes through."""
    try:
        read(path)
    except WeightsError as error:
        return str(error)
    return None


def at(metadata: dict[str, Any], path: tuple[str | int, ...]) -> Any:
    found: Any = metadata
    for key in path:
        found = found[key]
    return found


def accepted(good: Path, path: tuple[str | int, ...], field: str, values: list[Any]) -> list[Any]:
    """Those of `values` that both readers take for the field."""
    members = archives.read(good)
    taken = []
    for value in values:
        metadata = archives.metadata(members)
        at(metadata, path)[field] = value
        changed = archives.write(good.with_name("changed.npz"), archives.with_metadata(members, metadata))
        told = refusal(changed)
        if told is None:
            taken.append(value)
        else:
            for message in (told, refusal(changed, weights.read_summary)):
                assert message is not None, f"the summary takes {value!r} for {field}"
                assert_in_a_line(message, changed)
    return taken
