"""The transformer by hand: every layer with its forward and its backward, on NumPy alone."""

from tinychat.core.model import Transformer

__all__ = ["Transformer"]
