"""What differs between two equal runs: nothing but the time that they took."""

from typing import Any

TIMINGS = ("seconds", "epoch_seconds", "tokens_per_s", "seconds_left")
"""The only fields in which two equal runs differ."""


def without_timings(record: Any) -> Any:
    """A JSON-ready record, and all records in it, without the fields that tell how long something took."""
    if isinstance(record, dict):
        return {key: without_timings(value) for key, value in record.items() if key not in TIMINGS}
    if isinstance(record, list | tuple):
        return [without_timings(value) for value in record]
    return record
