"""Files that promise more than anything could hold are refused before anything is allocated."""

import tracemalloc
from collections.abc import Callable

import archives
import pytest
from archives import Members
from refusals import AVERAGE, Refuse, some_array

from tinychat.config import ModelConfig
from tinychat.core.model import Transformer

SMALL = 16 * 2**20
"""Bytes that reading a file of a hundred kilobytes may take; each case below promises far more."""


def peak_of(read: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "shape", [(10**12,), (10**6, 10**6), (2**31, 2**31), (2**63 - 1,), (2**70,), (10**9,) * 32]
)
@some_array
def test_a_header_that_promises_too_much(refuse: Refuse, name: str, shape: tuple[int, ...]) -> None:
    assert peak_of(lambda: refuse(lambda m: {**m, name: archives.header_bytes(shape)})) < SMALL


@pytest.mark.parametrize("descr", ["<U1000000000", "|S2000000000", "|V2000000000"])
def test_a_description_that_promises_too_much(refuse: Refuse, descr: str) -> None:
    header = archives.header_bytes((), descr)
    assert peak_of(lambda: refuse(lambda m: {**m, "metadata.npy": header})) < SMALL


def test_a_config_and_headers_that_promise_too_much_together(refuse: Refuse) -> None:
    """The headers fit the config, and the file is still far too short for either."""

    def change(m: Members) -> Members:
        metadata = archives.metadata(m)
        metadata["config"]["d_ff"] = 500_000
        specs = Transformer.specs(ModelConfig(**metadata["config"]))
        headers = {
            f"parameters/{s.name}.npy": archives.header_bytes(s.shape)
            for s in specs
            if "feed_forward" in s.name
        }
        size = (sum(spec.size for spec in specs),)
        vectors = ("optimizer/m.npy", "optimizer/v.npy", AVERAGE)
        return archives.with_metadata(
            {**m, **headers, **dict.fromkeys(vectors, archives.header_bytes(size))}, metadata
        )

    assert peak_of(lambda: refuse(change, summary_too=False)) < SMALL


def test_a_config_of_very_many_layers(refuse: Refuse) -> None:
    def change(m: Members) -> Members:
        metadata = archives.metadata(m)
        metadata["config"]["n_layers"] = 10_000
        return archives.with_metadata(m, metadata)

    assert peak_of(lambda: refuse(change, "missing")) < SMALL
