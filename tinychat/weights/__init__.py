"""Models on disk."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinychat.weights.npz import load, read_summary, save
    from tinychat.weights.writing import place_to_save

__all__ = ["load", "place_to_save", "read_summary", "save"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only when it is: the folder of saved models can be looked at without NumPy."""
    if name in __all__:
        module = "writing" if name == "place_to_save" else "npz"
        return getattr(import_module(f"tinychat.weights.{module}"), name)
    raise AttributeError(f"module 'tinychat.weights' has no attribute {name!r}")
