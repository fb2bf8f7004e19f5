"""`tinychat train --find-lr`: losses over rising rates, told and drawn, and nothing saved."""

from pathlib import Path

import numpy as np
import pytest
from cli_runs import Call, assert_refused
from tiny_training import TINY


def test_rates_are_tried_in_both_phases(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus, *TINY, "--find-lr", "--json")
    assert (done.code, done.err) == (0, "")
    assert [record["phase"] for record in done.records] == ["pretrain", "tune"]
    for record in done.records:
        assert set(record) == {"phase", "lr", "lowest", "trials"}
        rates = [rate for rate, _ in record["trials"]]
        assert rates[0] == pytest.approx(1e-6)
        assert rates == sorted(set(rates))
        assert rates[-1] <= 1.0 + 1e-9
        steps = np.diff(np.log(rates))
        assert steps == pytest.approx(np.full(len(steps), np.log(1e6) / 119))
        assert record["lr"] in rates
        assert record["lowest"] == min(record["trials"], key=lambda trial: trial[1])[0]
        assert min(loss for _, loss in record["trials"]) < record["trials"][0][1], "nothing was learnt"
    assert [path.name for path in Path().iterdir()] == ["weather"], "something was saved"


def test_rates_are_drawn(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus, *TINY, "--find-lr")
    assert (done.code, done.err) == (0, "")
    records = call("train", "--corpus", corpus, *TINY, "--find-lr", "--json").records
    pictures = done.out.split("\n\n")
    assert pictures[-1] == ""
    for title, record, picture in zip(
        ("Pre-training", "Instruction tuning"), records, pictures[:-1], strict=True
    ):
        first, *lines = picture.splitlines()
        assert first == f"{title}, from new weights: loss by learning rate"
        losses = [loss for _, loss in record["trials"]]
        assert lines[0].split()[0] == f"{max(losses):.2f}"
        assert lines[11].split()[0] == f"{min(losses):.2f}"
        assert all(line[8] == "│" for line in lines[:12])
        assert 12 <= sum(line.count("•") for line in lines[:12]) <= len(losses)
        assert lines[13].split() == ["1e-06", "1e-05", "1e-04", "1e-03", "1e-02", "1e-01", "1e+00"]
        assert f"fastest at {record['lr']:.1e} and is lowest at {record['lowest']:.1e}" in lines[14]
        assert lines[15].endswith(f"--{record['phase']}-lr {record['lr']:.1g}")


def test_rates_are_tried_the_same_way_each_time_and_by_seed(call: Call, corpus: Path) -> None:
    first, again, other = (
        call("train", "--corpus", corpus, *TINY, "--find-lr", "--json", "--seed", seed).out for seed in "112"
    )
    assert first == again != other


def test_rates_for_a_corpus_of_facts_alone(call: Call, corpus: Path) -> None:
    done = call("train", "--corpus", corpus / "pretraining.txt", *TINY, "--find-lr", "--json")
    assert [record["phase"] for record in done.records] == ["pretrain"]


@pytest.mark.parametrize("flag", ["--out", "--resume"])
def test_trying_rates_saves_nothing_and_resumes_nothing(call: Call, corpus: Path, flag: str) -> None:
    done = call("train", "--corpus", corpus, *TINY, "--find-lr", flag, "m.npz")
    assert_refused(done, 2, "--find-lr", flag)
    assert not Path("m.npz").exists()
