"""The keys of the chat, which has so many that they fill a file."""

from collections.abc import Iterator

from textual.binding import Binding, BindingType


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
