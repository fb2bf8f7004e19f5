"""`tinychat bench`: figures of this machine for every preset."""

from collections.abc import Callable

import pytest
from cli_runs import Outcome, assert_refused

from tinychat.presets import PRESETS

Call = Callable[..., Outcome]

TRAINING = {"preset", "workers", "updates_per_s", "tokens_per_s", "gflops", "product_gflops", "share"}
DECODING = {"preset", "tokens_per_s", "gb_per_s", "read_gb_per_s", "share"}


def test_as_json(call: Call) -> None:
    done = call("bench", "--seconds", "0", "--json")
    assert (done.code, done.err) == (0, "")
    [found] = done.records
    assert found.keys() == {"training", "decoding"}
    for kind, keys in (("training", TRAINING), ("decoding", DECODING)):
        assert [speed["preset"] for speed in found[kind]] == list(PRESETS)
        for speed in found[kind]:
            assert speed.keys() == keys
            assert all(speed[key] > 0 for key in keys - {"preset"})
    assert [speed["workers"] for speed in found["training"]] == [2, 2]


def test_in_words(call: Call) -> None:
    done = call("bench", "--seconds", "0")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines] == ["training", *PRESETS, "decoding", *PRESETS]
    for line in lines[1:3]:
        assert all(unit in line for unit in ("updates/s", "tokens/s", "GFLOP/s", "%", "2 processes;"))
    for line in lines[4:]:
        assert all(unit in line for unit in ("tokens/s", "GB/s", "%"))


@pytest.mark.parametrize("flags", [("--seconds", "-1"), ("--seconds", "x"), ("--corpus", "basics")])
def test_what_it_does_not_take(call: Call, flags: tuple[str, ...]) -> None:
    assert_refused(call("bench", *flags), 2)
