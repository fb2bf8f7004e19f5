"""The keys of the chat, which has so many that they fill a file, and those that a footer has room for."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from textual.binding import ActiveBinding, Binding, BindingType


def _keys(*rows: tuple[str, str, str, str], show: bool = True) -> Iterator[Binding]:
    """Key, action, a word for the footer, and `what: how` for the list of commands."""
    for key, action, word, tooltip in rows:
        name = action.removeprefix("app.")
        # The line to type in knows some of the keys too.
        yield Binding(key, action, word, show=show, priority=True, id=f"chat.{name}", tooltip=tooltip)


CHAT: list[BindingType] = [
    Binding("escape", "back", "Back", id="chat.back"),
    Binding("f1", "app.help", "Help", id="chat.help", tooltip="Help: the keys, and what is shown"),
    *_keys(
        ("f3", "speaking", "Speaking", "How it speaks: temperature, top-k, beams, pace"),
        ("f4", "inside", "Inside", "Inside the model: why it wrote each word of the answer"),
        ("ctrl+n", "teach", "Teach", "Teach: the right answer to the last question"),
        ("ctrl+r", "regenerate", "Again", "Regenerate: answer the last question once more"),
        ("ctrl+g", "go_on", "Go on", "Continue: write on at an answer that was stopped"),
        (
            "ctrl+t",
            "app.train",
            "Train",
            "Train: this model further, or a new one; back to the training under way",
        ),
        ("ctrl+o", "app.load", "Load", "Load a model: chat with it, or go on training it"),
    ),
    *_keys(("f9", "app.copy_model", "Renew", "New copy: of the model that is being trained, as it is now")),
    *_keys(
        ("f5", "tint", "Tint", "Tint: words are the warmer, the less certain the model was"),
        ("ctrl+z", "untaught", "Untaught", "Take back: what it was taught last in this conversation"),
        ("ctrl+e", "edit", "Edit", "Edit: ask the last question otherwise"),
        ("ctrl+s", "app.save", "Save", "Save the model: under a name"),
        ("f6", "app.word_map", "Map", "Map of words: those that were used alike lie near each other"),
        ("f7", "app.curves", "Curves", "Curves: how the training went, layer by layer"),
        ("ctrl+y", "copy", "Copy", "Copy: the last answer, into the clipboard"),
        ("f8", "app.export", "Export", "Export the conversation: as Markdown or JSON Lines"),
        ("ctrl+l", "clear", "Clear", "Clear the conversation: on the screen and in the context"),
        show=False,
    ),
    Binding("pageup", "scroll(-1)", "Page up", show=False, id="chat.pageup"),
    Binding("pagedown", "scroll(1)", "Page down", show=False, id="chat.pagedown"),
]

_MATTER = (
    *("app.help", "quit", "back", "go_on", "teach", "inside", "speaking"),
    *("pause", "app.copy_model", "app.train", "regenerate", "app.load"),
)
"""Actions that the footer shows, the most important first: from the help one finds all others.

Those of a panel come last, since it tells them itself."""


def that_fit(
    found: dict[str, ActiveBinding], width: int, name: Callable[[Binding], str]
) -> dict[str, ActiveBinding]:
    """The same keys, of which only as many are for the footer as stand side by side in `width` columns.

    `name` says how a key is called there.
    """
    shown = {active.binding.action: active.binding for active in found.values() if active.binding.show}
    fitting, left = set(), width + 1  # no gap behind the last
    order = [action for action in _MATTER if action in shown]
    for action in (*order, *(other for other in shown if other not in order)):
        binding = shown[action]
        left -= len(f"{name(binding)} {binding.description}  ")
        if left < 0:
            break
        fitting.add(action)
    return {
        key: active
        if active.binding.action in fitting
        else active._replace(binding=replace(active.binding, show=False))
        for key, active in found.items()
    }
