"""Models on disk."""

from tinychat.weights.npz import load, place_to_save, read_summary, save

__all__ = ["load", "place_to_save", "read_summary", "save"]
