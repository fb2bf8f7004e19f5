"""Models on disk."""

from tinychat.weights.npz import load, read_summary, save

__all__ = ["load", "read_summary", "save"]
