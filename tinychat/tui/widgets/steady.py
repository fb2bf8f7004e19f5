"""Text that changes in its place."""

from textual.content import Content
from textual.widgets import Static


def show(widget: Static, content: Content) -> None:
    """Show it, and lay the screen out anew only if it takes more or fewer lines than what was there.

    A layout takes longer than all else that a changed text needs.
    """
    width = widget.content_size.width
    is_as_high = bool(width) and content.get_height({}, width) == widget.content_size.height
    widget.update(content, layout=not is_as_high)
