"""Models on disk."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinychat.weights.npz import load, place_to_save, read_summary, save

__all__ = ["load", "place_to_save", "read_summary", "save"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only when it is: the folder of saved models can be looked at without NumPy."""
    if name in __all__:
        from tinychat.weights import npz

        return getattr(npz, name)
    raise AttributeError(f"module 'tinychat.weights' has no attribute {name!r}")
